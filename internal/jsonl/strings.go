package jsonl

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Unquote gives the text of a valid JSON string, handed over without its
// quotes. Half of a surrogate pair becomes U+FFFD, as Go strings cannot hold
// it.
func Unquote(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i >= 0 {
		b = append(b, s[:i]...)
		r, n := unescape(s[i:])
		b = utf8.AppendRune(b, r)
		s = s[i+n:]
		i = strings.IndexByte(s, '\\')
	}
	return string(append(b, s...))
}

// EqualUnquoted tells whether quoted, without its quotes, stands for text.
func EqualUnquoted(quoted, text string) bool {
	for {
		i := strings.IndexByte(quoted, '\\')
		if i < 0 {
			return quoted == text
		}
		if len(text) < i || quoted[:i] != text[:i] {
			return false
		}
		r, n := unescape(quoted[i:])
		var buf [utf8.UTFMax]byte
		c := utf8.AppendRune(buf[:0], r)
		if !strings.HasPrefix(text[i:], string(c)) {
			return false
		}
		quoted, text = quoted[i+n:], text[i+len(c):]
	}
}

// unescape decodes the valid escape that s begins with, n bytes of it.
func unescape(s string) (r rune, n int) {
	switch s[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r = hex4(s[2:6])
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
			if pair := utf16.DecodeRune(r, hex4(s[8:12])); pair != utf8.RuneError {
				return pair, 12
			}
		}
		return utf8.RuneError, 6
	}
	return rune(s[1]), 2
}

func hex4(s string) rune {
	return hexDigit(s[0])<<12 | hexDigit(s[1])<<8 | hexDigit(s[2])<<4 | hexDigit(s[3])
}

// AppendQuoted adds s as a JSON string of ASCII characters alone, so that a
// reader with any code page understands it, as Python's json.dumps does it.
// Bytes that are not UTF-8 become U+FFFD.
func AppendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	plain := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[plain:i]...)
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			b = appendUnicode(b, r)
			i += n
		} else {
			b = appendControl(b, c)
			i++
		}
		plain = i
	}
	b = append(b, s[plain:]...)
	return append(b, '"')
}

func appendControl(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return appendUnit(b, rune(c))
}

func appendUnicode(b []byte, r rune) []byte {
	if r < 0x10000 {
		return appendUnit(b, r)
	}
	high, low := utf16.EncodeRune(r)
	return appendUnit(appendUnit(b, high), low)
}

func appendUnit(b []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// AppendASCII adds valid JSON text byte for byte, except that characters
// outside ASCII, which JSON has within strings alone, are escaped, and a line
// feed or carriage return between two values, where a reader would cut the
// line, is made a space.
func AppendASCII(b []byte, json string) []byte {
	plain := 0
	for i := 0; i < len(json); {
		c := json[i]
		switch {
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(json[i:])
			b = append(b, json[plain:i]...)
			b = appendUnicode(b, r)
			i += n
			plain = i
		case c == '\r' || c == '\n':
			b = append(b, json[plain:i]...)
			b = append(b, ' ')
			i++
			plain = i
		default:
			i++
		}
	}
	return append(b, json[plain:]...)
}

// IsPlain tells that AppendASCII would change nothing.
func IsPlain(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		if (w|((w^ones*'\r')-ones)|((w^ones*'\n')-ones))&highs != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= utf8.RuneSelf || c == '\r' || c == '\n' {
			return false
		}
	}
	return true
}
