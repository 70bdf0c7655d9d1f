package main

import (
	"mime"
	"path"
	"slices"
	"strings"
	"unicode"
)

// maxLabel is how long a file's label may be, in characters.
const maxLabel = 200

// mediaTypes are the extensions that an upload keeps, and what it is served
// as. Any other is stored as ".bin"; what is in a file decides, not its name.
var mediaTypes = map[string]string{
	".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".aac": "audio/aac",
	".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".aiff": "audio/aiff", ".aif": "audio/aiff",
	".wma": "audio/x-ms-wma", ".amr": "audio/amr", ".mp4": "video/mp4", ".m4v": "video/mp4", ".mpeg": "audio/mpeg",
	".mpga": "audio/mpeg", ".mkv": "video/x-matroska", ".webm": "video/webm", ".mov": "video/quicktime", ".avi": "video/x-msvideo",
}

// label makes what people see of a file name that a stranger sent: its last
// element, on Windows or elsewhere, without characters that are invisible or
// turn the writing around. It is never used as a path.
func label(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '\u200c' || r == '\u200d': // hold Persian words and emoji together
			return r
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, name)
	name = strings.TrimSpace(name)
	if strings.Trim(name, ". ") == "" {
		return "recording"
	}
	if all := []rune(name); len(all) > maxLabel {
		ext := []rune(path.Ext(name))
		if len(ext) > 10 {
			ext = nil
		}
		name = string(all[:maxLabel-len(ext)-1]) + "…" + string(ext)
	}
	return name
}

// extension gives the one under which a file with this label is stored.
func extension(label string) string {
	ext := strings.ToLower(path.Ext(label))
	if _, ok := mediaTypes[ext]; ok {
		return ext
	}
	return ".bin"
}

func mediaType(ext string) string {
	if t, ok := mediaTypes[ext]; ok {
		return t
	}
	return "application/octet-stream"
}

// attachment makes the header that has a browser save a transcript under the
// recording's name, changed where a file system would not take it.
func attachment(label, ext string) string {
	stem := strings.TrimSuffix(label, path.Ext(label))
	stem = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"/\|?*`, r) {
			return '_'
		}
		return r
	}, stem)
	stem = strings.TrimRight(stem, ". ")
	if stem == "" || strings.HasPrefix(stem, "-") || strings.HasPrefix(stem, ".") || isDevice(stem) {
		stem = "_" + stem
	}
	return mime.FormatMediaType("attachment", map[string]string{"filename": stem + ext})
}

// isDevice tells whether Windows takes the name for a device, whatever its
// extension (learn.microsoft.com, "Naming Files, Paths, and Namespaces").
func isDevice(stem string) bool {
	name, _, _ := strings.Cut(strings.ToUpper(stem), ".")
	name = strings.TrimRight(name, " ")
	if len(name) > 3 && (strings.HasPrefix(name, "COM") || strings.HasPrefix(name, "LPT")) {
		return slices.Contains([]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³"}, name[3:])
	}
	return slices.Contains([]string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}, name)
}
