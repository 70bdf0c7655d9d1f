package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/holdfast-go/holdfast/internal/jsonl"
)

// Fields are the fields of a line that [Entry] has no name for, in the order
// and with the bytes in which they were read. The zero value has none.
// Fields are values: changing a copy leaves the original as it was.
type Fields struct {
	// The whole line, with the known fields as they were when it was read:
	// their places are kept, so that an entry is written back in order. It
	// is never changed, only replaced.
	line  string
	known [knownFields]span
	// plain: the line is ASCII without line breaks, thus fit to be
	// written as it is.
	plain bool
	// private: there is a name that begins with '_', maybe the journal's.
	private bool
}

// space is what may stand between values. An object of UnmarshalJSON can have
// several lines.
const space = " \t\r\n"

// span is the place of a value in the line; start 0 means that there is none,
// as a line begins with '{'.
type span struct{ start, end uint32 }

// parseFields checks a line and finds the known fields in it.
func parseFields(line []byte) (Fields, error) {
	var fields Fields
	o, err := jsonl.OpenObject(line)
	if err != nil {
		return fields, err
	}
	var (
		f     jsonl.Field
		seen  names
		ranks [knownFields]int
	)
	for {
		more, err := o.Next(&f)
		if err != nil {
			return fields, err
		}
		if !more {
			break
		}
		name := fieldName(line, &f)
		if !seen.add(name) {
			return fields, fmt.Errorf("%q is there twice", name)
		}
		if len(name) > 0 && name[0] == '_' {
			fields.private = true
		}
		k, rank, ok := nameOf(name)
		if ok && (fields.known[k].start == 0 || rank < ranks[k]) {
			fields.known[k] = span{uint32(f.Start), uint32(f.End)}
			ranks[k] = rank
		}
	}
	if err := o.End(); err != nil {
		return fields, err
	}
	fields.line = string(line)
	fields.plain = jsonl.IsPlain(line)
	return fields, nil
}

func fieldName(line []byte, f *jsonl.Field) []byte {
	name := line[f.Key+1 : f.NameEnd]
	if f.EscapedName {
		return []byte(jsonl.Unquote(string(name)))
	}
	return name
}

// names notices a name that is there twice.
type names struct {
	first [16][]byte
	n     int
	more  map[string]bool // beyond the first 16, where comparing with all would be slow
}

func (s *names) add(name []byte) bool {
	for _, other := range s.first[:s.n] {
		if bytes.Equal(other, name) {
			return false
		}
	}
	if s.n < len(s.first) {
		s.first[s.n] = name
		s.n++
		return true
	}
	if s.more[string(name)] {
		return false
	}
	if s.more == nil {
		s.more = make(map[string]bool)
	}
	s.more[string(name)] = true
	return true
}

func (f *Fields) value(field int) string {
	at := f.known[field]
	return f.line[at.start:at.end]
}

// nameAt is the name that a known field has in the line.
func (f *Fields) nameAt(field int) string {
	line := []byte(f.line)
	for found := range f.walk(line) {
		if uint32(found.Start) == f.known[field].start {
			return string(fieldName(line, found))
		}
	}
	return knownNames[field]
}

// walk goes over all fields of a line that has been checked.
func (f *Fields) walk(line []byte) iter.Seq[*jsonl.Field] {
	return func(yield func(*jsonl.Field) bool) {
		o, err := jsonl.OpenObject(line)
		if err != nil { // there is no line
			return
		}
		var found jsonl.Field
		for {
			more, err := o.Next(&found)
			if err != nil || !more || !yield(&found) {
				return
			}
		}
	}
}

// isKnown tells whether Entry has the field in one of its own.
func (f *Fields) isKnown(found *jsonl.Field) bool {
	for _, k := range f.known {
		if k.start == uint32(found.Start) {
			return true
		}
	}
	return false
}

// All yields every field, in order. A value may be NaN, Infinity or -Infinity,
// as Python writes them, which encoding/json does not accept.
func (f Fields) All() iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		line := []byte(f.line)
		for found := range f.walk(line) {
			if f.isKnown(found) {
				continue
			}
			value := line[found.Start:found.End:found.End]
			if !yield(string(fieldName(line, found)), value) {
				return
			}
		}
	}
}

// Get returns the value of a field as it stands in the line.
func (f Fields) Get(name string) (json.RawMessage, bool) {
	for n, value := range f.All() {
		if n == name {
			return value, true
		}
	}
	return nil, false
}

// Set gives a field a value, which becomes JSON as by encoding/json (a
// [json.RawMessage] stays as it is). A field that is there keeps its place, a
// new one comes last. Names that Entry has a field for are refused: set that
// one.
func (f *Fields) Set(name string, value any) error {
	data, ok := value.(json.RawMessage)
	if !ok {
		var err error
		if data, err = json.Marshal(value); err != nil {
			return fmt.Errorf("manifest field %q: %w", name, err)
		}
	}
	data = bytes.TrimSpace(data)
	end, err := jsonl.Value(data, 0)
	if err == nil && end != len(data) {
		err = errors.New("text after the value")
	}
	if err != nil {
		return fmt.Errorf("manifest field %q: %w", name, err)
	}
	return f.put(name, data)
}

func (f *Fields) put(name string, value []byte) error {
	if _, rank, ok := nameOf([]byte(name)); ok && rank == 0 {
		return fmt.Errorf("manifest field %q: set the field of Entry that has this name", name)
	}
	line := []byte(f.line)
	for found := range f.walk(line) {
		if string(fieldName(line, found)) != name {
			continue
		}
		if f.isKnown(found) {
			return fmt.Errorf("manifest field %q: set the field of Entry that has this name", name)
		}
		return f.replace(slices.Concat(line[:found.Start], value, line[found.End:]))
	}
	return f.replace(appendField(line, name, value))
}

// appendField puts a field last in an object.
func appendField(line []byte, name string, value []byte) []byte {
	if len(line) == 0 {
		line = []byte("{}")
	}
	body := bytes.TrimRight(line[:len(line)-1], space)
	if len(body) > 1 {
		body = append(body, ", "...)
	}
	body = jsonl.AppendQuoted(body, name)
	body = append(body, ": "...)
	body = append(body, value...)
	return append(body, '}')
}

// Delete removes a field, if it is there.
func (f *Fields) Delete(name string) {
	line := []byte(f.line)
	previousEnd := 0
	for found := range f.walk(line) {
		if string(fieldName(line, found)) != name || f.isKnown(found) {
			previousEnd = found.End
			continue
		}
		rest := line[found.End:]
		if previousEnd > 0 {
			line = slices.Concat(line[:previousEnd], rest)
		} else {
			// The first field: the comma to go is the one behind it.
			rest = bytes.TrimLeft(rest, space)
			rest = bytes.TrimLeft(bytes.TrimPrefix(rest, []byte(",")), space)
			line = slices.Concat(line[:found.Key], rest)
		}
		_ = f.replace(line)
		return
	}
}

// replace takes over a line that was made from a checked one.
func (f *Fields) replace(line []byte) error {
	fields, err := parseFields(line)
	if err != nil {
		return fmt.Errorf("manifest field: %w", err)
	}
	*f = fields
	return nil
}
