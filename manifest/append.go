package manifest

import (
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/jsonl"
)

// AppendJSON adds the entry to b as one JSON object of ASCII characters,
// without a line break. An entry that was read and not changed is what was
// read, but for characters outside ASCII, which are written as escapes. Text
// that is not UTF-8 gets U+FFFD in its place.
func (e Entry) AppendJSON(b []byte) []byte {
	f := &e.Extra
	if f.line == "" {
		b = append(b, '{')
		start := len(b)
		b = e.appendMissing(b)
		return append(closeFields(b, start), '}')
	}
	changed, n := e.changed()
	missing := e.missing()
	if n == 0 && !missing {
		return appendRaw(b, f, 0, len(f.line))
	}
	pos := 0
	if missing && f.known[audioPath].start == 0 {
		// Nothing but extra fields, or a line without audio: the known
		// ones go first, as people expect them.
		b = append(b, '{')
		b = e.appendMissing(b)
		pos = len(f.line) - len(strings.TrimLeft(f.line[1:], space)) // the first name, or the brace
		if f.line[pos] == '}' {
			b = b[:len(b)-len(", ")]
		}
		missing = false
	}
	for _, k := range changed[:n] {
		b = appendRaw(b, f, pos, int(f.known[k].start))
		b = e.appendValue(b, k)
		pos = int(f.known[k].end)
	}
	if missing {
		last := len(strings.TrimRight(f.line[:len(f.line)-1], space)) // the end of the last value
		b = appendRaw(b, f, pos, last)
		b = append(b, ", "...)
		start := len(b)
		b = e.appendMissing(b)
		b = closeFields(b, start)
		pos = last
	}
	return appendRaw(b, f, pos, len(f.line))
}

func appendRaw(b []byte, f *Fields, from, to int) []byte {
	if f.plain {
		return append(b, f.line[from:to]...)
	}
	return jsonl.AppendASCII(b, f.line[from:to])
}

// changed lists the fields that are no longer what the line says, in the
// order of the line.
func (e *Entry) changed() (fields [knownFields]int, n int) {
	known := &e.Extra.known
	for k := range knownFields {
		if known[k].start == 0 || e.same(k) {
			continue
		}
		i := n
		for ; i > 0 && known[fields[i-1]].start > known[k].start; i-- {
			fields[i] = fields[i-1]
		}
		fields[i] = k
		n++
	}
	return fields, n
}

func (e *Entry) missing() bool {
	for k := range knownFields {
		if e.isMissing(k) {
			return true
		}
	}
	return false
}

// isMissing tells that a field has a value and the line has no place for it.
func (e *Entry) isMissing(k int) bool {
	if e.Extra.known[k].start != 0 {
		return false
	}
	if s := e.stringField(k); s != nil {
		return *s != ""
	}
	return *e.secondsField(k) != 0
}

// same tells whether the line still says what the field says.
func (e *Entry) same(k int) bool {
	raw := e.Extra.value(k)
	if s := e.stringField(k); s != nil {
		if raw[0] != '"' { // null
			return *s == ""
		}
		return jsonl.EqualUnquoted(raw[1:len(raw)-1], *s)
	}
	was, _ := parseSeconds(raw)
	return was == *e.secondsField(k)
}

// appendMissing adds the fields that the line has no place for, each with
// ", " behind it.
func (e *Entry) appendMissing(b []byte) []byte {
	for k := range knownFields {
		if !e.isMissing(k) {
			continue
		}
		b = append(b, '"')
		b = append(b, knownNames[k]...)
		b = append(b, "\": "...)
		b = e.appendValue(b, k)
		b = append(b, ", "...)
	}
	return b
}

// closeFields removes the ", " behind the last field.
func closeFields(b []byte, start int) []byte {
	if len(b) > start {
		b = b[:len(b)-len(", ")]
	}
	return b
}

func (e *Entry) appendValue(b []byte, k int) []byte {
	if s := e.stringField(k); s != nil {
		return jsonl.AppendQuoted(b, *s)
	}
	return appendSeconds(b, *e.secondsField(k))
}

func (e *Entry) stringField(k int) *string {
	switch k {
	case audioPath:
		return &e.AudioPath
	case text:
		return &e.Text
	case predText:
		return &e.PredText
	case lang:
		return &e.Lang
	}
	return nil
}

func (e *Entry) secondsField(k int) *time.Duration {
	if k == offset {
		return &e.Offset
	}
	return &e.Duration
}

// MarshalJSON is AppendJSON for encoding/json.
func (e Entry) MarshalJSON() ([]byte, error) {
	return e.AppendJSON(nil), nil
}
