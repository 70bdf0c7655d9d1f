package jsonl

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may nest. A manifest needs three or
// four levels; the limit keeps a hostile line from exhausting the stack.
const MaxDepth = 200

// SyntaxError says what is wrong with a line of JSON, and where.
type SyntaxError struct {
	Byte   int // from 1, within the line
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s at byte %d", e.Reason, e.Byte)
}

func wrong(i int, reason string) error {
	return &SyntaxError{Byte: i + 1, Reason: reason}
}

// unexpected is for a byte that cannot stand where it stands.
func unexpected(b []byte, i int, wanted string) error {
	if i >= len(b) {
		return wrong(i, "the line ends where "+wanted+" is expected")
	}
	return wrong(i, fmt.Sprintf("%q where %s is expected", b[i], wanted))
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

// Value returns the end of the value that begins at b[i].
func Value(b []byte, i int) (end int, err error) {
	return value(b, i, 0)
}

func value(b []byte, i, depth int) (int, error) {
	if i >= len(b) {
		return i, unexpected(b, i, "a value")
	}
	switch c := b[i]; {
	case c == '"':
		end, _, err := stringEnd(b, i+1)
		return end + 1, err
	case c == '-' || c >= '0' && c <= '9':
		return number(b, i)
	case c == '{':
		return object(b, i, depth+1)
	case c == '[':
		return array(b, i, depth+1)
	case c == 't':
		return word(b, i, "true")
	case c == 'f':
		return word(b, i, "false")
	case c == 'n':
		return word(b, i, "null")
	case c == 'N':
		return word(b, i, "NaN")
	case c == 'I':
		return word(b, i, "Infinity")
	}
	return i, unexpected(b, i, "a value")
}

func word(b []byte, i int, w string) (int, error) {
	if len(b)-i >= len(w) && string(b[i:i+len(w)]) == w {
		return i + len(w), nil
	}
	return i, unexpected(b, i, "a value")
}

func number(b []byte, i int) (int, error) {
	if b[i] == '-' {
		i++
		if i < len(b) && b[i] == 'I' {
			return word(b, i, "Infinity")
		}
	}
	first := i
	i = digits(b, i)
	if i == first {
		return i, unexpected(b, i, "a digit")
	}
	if b[first] == '0' && i > first+1 {
		return i, wrong(first, "a number with a leading zero")
	}
	if i < len(b) && b[i] == '.' {
		i++
		first = i
		if i = digits(b, i); i == first {
			return i, unexpected(b, i, "a digit")
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		first = i
		if i = digits(b, i); i == first {
			return i, unexpected(b, i, "a digit")
		}
	}
	return i, nil
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	return i
}

func array(b []byte, i, depth int) (int, error) {
	if depth > MaxDepth {
		return i, wrong(i, fmt.Sprintf("more than %d nested levels", MaxDepth))
	}
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == ']' {
		return i + 1, nil
	}
	for {
		var err error
		if i, err = value(b, i, depth); err != nil {
			return i, err
		}
		i = skipSpace(b, i)
		if i < len(b) && b[i] == ']' {
			return i + 1, nil
		}
		if i >= len(b) || b[i] != ',' {
			return i, unexpected(b, i, "',' or ']'")
		}
		i = skipSpace(b, i+1)
	}
}

func object(b []byte, i, depth int) (int, error) {
	if depth > MaxDepth {
		return i, wrong(i, fmt.Sprintf("more than %d nested levels", MaxDepth))
	}
	o := Object{text: b, pos: i + 1, depth: depth}
	var f Field
	for {
		more, err := o.Next(&f)
		if err != nil || !more {
			return o.pos, err
		}
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stringEnd returns the index of the quote that ends the string whose first
// byte is b[i], and whether there are escapes in it.
func stringEnd(b []byte, i int) (end int, escaped bool, err error) {
	for {
		// Eight bytes at a time up to the first that needs a look: a quote,
		// a backslash, a control character, or one outside ASCII. Borrows
		// run upwards only, so the lowest mark is always right.
		for len(b)-i >= 8 {
			w := binary.LittleEndian.Uint64(b[i:])
			marks := (w | (w - ones*0x20) | ((w ^ ones*'"') - ones) | ((w ^ ones*'\\') - ones)) & highs
			if marks != 0 {
				i += bits.TrailingZeros64(marks) / 8
				break
			}
			i += 8
		}
		if i >= len(b) {
			return i, escaped, wrong(i, "the line ends within a string")
		}
		switch c := b[i]; {
		case c == '"':
			return i, escaped, nil
		case c == '\\':
			escaped = true
			if i, err = escape(b, i); err != nil {
				return i, escaped, err
			}
		case c < 0x20:
			return i, escaped, wrong(i, fmt.Sprintf("the control character %#02x in a string", c))
		case c < utf8.RuneSelf:
			i++
		default:
			for i < len(b) && b[i] >= utf8.RuneSelf {
				r, n := utf8.DecodeRune(b[i:])
				if r == utf8.RuneError && n == 1 {
					return i, escaped, wrong(i, "invalid UTF-8")
				}
				i += n
			}
		}
	}
}

// escape returns the end of the escape at b[i].
func escape(b []byte, i int) (int, error) {
	if i+1 >= len(b) {
		return i, wrong(i, "the line ends within a string")
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, nil
	case 'u':
		for k := i + 2; k < i+6; k++ {
			if k >= len(b) || hexDigit(b[k]) < 0 {
				return k, unexpected(b, k, "a hexadecimal digit")
			}
		}
		return i + 6, nil
	}
	return i, wrong(i, "an unknown escape")
}

func hexDigit(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}
