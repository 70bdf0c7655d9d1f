package audio

import (
	"strings"
	"unicode/utf8"
)

// sniff returns nil for the start of a WAV file, else an error that says what
// the file seems to be.
func sniff(start []byte) error {
	s := string(start)
	has := func(offset int, magic string) bool {
		return len(s) >= offset && strings.HasPrefix(s[offset:], magic)
	}
	switch {
	case len(s) == 0:
		return bad("empty file")
	case has(0, "RIFF") || has(0, "RF64") || has(0, "BW64"):
		switch {
		case has(8, "WAVE"):
			return nil
		case has(8, "AVI "):
			return foreign("not a WAV file: looks like AVI video")
		case len(s) < 12:
			return bad("cut short: %d bytes of a WAV file", len(s))
		}
		return bad("not a WAV file: RIFF with %q inside", s[8:12])
	case has(0, "RIFX"):
		return foreign("unsupported: a big-endian WAV file (RIFX)")
	case strings.Trim(s, "\x00") == "":
		return bad("not a WAV file: only zero bytes; its content was lost")
	}
	for _, f := range []struct {
		offset int
		magic  string
		name   string
	}{
		{0, "ID3", "MP3"}, {0, "\xff\xfb", "MP3"}, {0, "\xff\xf3", "MP3"}, {0, "\xff\xf2", "MP3"}, {0, "\xff\xfa", "MP3"},
		{0, "\xff\xf1", "AAC"}, {0, "\xff\xf9", "AAC"}, {0, "fLaC", "FLAC"}, {0, "OggS", "Ogg"}, {4, "ftyp", "MP4 or M4A"},
		{0, "\x1a\x45\xdf\xa3", "Matroska or WebM"}, {0, "FORM", "AIFF"}, {0, "caff", "CAF"}, {0, ".snd", "AU"},
		{0, "#!AMR", "AMR"}, {0, "riff\x2e\x91\xcf\x11", "Wave64"}, {0, "\x30\x26\xb2\x75", "Windows Media"},
		{0, "wvpk", "WavPack"}, {0, "MAC ", "Monkey's Audio"}, {0, "\x00\x00\x01\xba", "MPEG video"},
		{0, "\x00\x00\x01\xb3", "MPEG video"}, {0, "FLV\x01", "Flash video"},
	} {
		if has(f.offset, f.magic) {
			return foreign("not a WAV file: looks like %s", f.name)
		}
	}
	text := strings.ToLower(strings.TrimLeft(strings.TrimPrefix(s, "\xef\xbb\xbf"), " \t\r\n"))
	switch {
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"):
		return bad("not a WAV file: looks like HTML")
	case strings.HasPrefix(text, "version https://git-lfs"):
		return bad("not a WAV file: a Git LFS pointer, the sound itself was not downloaded")
	case strings.HasPrefix(text, "pk\x03\x04"):
		return bad("not a WAV file: looks like a zip archive")
	case strings.HasPrefix(text, "%pdf"):
		return bad("not a WAV file: looks like PDF")
	case isText(start):
		return bad("not a WAV file: looks like text")
	}
	return foreign("not a WAV file: begins with %q", s[:min(len(s), 8)])
}

// isText reports whether b, the start of a file, is printable UTF-8.
func isText(b []byte) bool {
	for len(b) > 0 && utf8.FullRune(b) { // the last one may be cut
		c, n := utf8.DecodeRune(b)
		if c == utf8.RuneError && n == 1 || c < ' ' && !strings.ContainsRune("\t\r\n", c) {
			return false
		}
		b = b[n:]
	}
	return true
}
