package manifest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/jsonl"
)

// Entry is one line of a manifest: an utterance.
//
// Entries are values: a copy may be changed without changing the original.
// An entry that was read is written back as it was, with only those fields
// replaced that were changed; a field that the line did not have and that is
// zero is not written.
type Entry struct {
	// AudioPath is "audio_filepath", or else "audio_filename" or
	// "audio_file", which NeMo accepts too.
	AudioPath string
	// Offset is where in the file the utterance begins; seconds in JSON.
	Offset time.Duration
	// Duration is the length of the utterance; seconds in JSON, 0 = unknown.
	Duration time.Duration
	// Text is what was said, "text" or else "normalized_text"; for what a file of
	// its own says see [Load].
	Text string
	// PredText is what an engine understood, "pred_text".
	PredText string
	// Lang is "lang".
	Lang string
	// Extra are the other fields of the line, in order.
	Extra Fields
}

// The fields that Entry has names for. The numbers index Fields.known.
const (
	audioPath = iota
	offset
	duration
	text
	predText
	lang
	knownFields
)

// The names under which they are written when they are new.
var knownNames = [knownFields]string{"audio_filepath", "offset", "duration", "text", "pred_text", "lang"}

// nameOf tells which known field a name stands for, and how good a name it
// is: 0 is the best. The lesser names are those of NeMo's
// collections/common/parts/preprocessing/manifest.py.
func nameOf(name []byte) (field, rank int, ok bool) {
	switch string(name) {
	case "audio_filepath":
		return audioPath, 0, true
	case "audio_filename":
		return audioPath, 1, true
	case "audio_file":
		return audioPath, 2, true
	case "offset":
		return offset, 0, true
	case "duration":
		return duration, 0, true
	case "text":
		return text, 0, true
	case "normalized_text":
		return text, 1, true
	case "pred_text":
		return predText, 0, true
	case "lang":
		return lang, 0, true
	}
	return 0, 0, false
}

// parse reads one line, without white space around it.
func parse(line []byte) (Entry, error) {
	var e Entry
	fields, err := parseFields(line)
	if err != nil {
		return e, err
	}
	e.Extra = fields
	for _, f := range []struct {
		field int
		into  *string
	}{{audioPath, &e.AudioPath}, {text, &e.Text}, {predText, &e.PredText}, {lang, &e.Lang}} {
		if *f.into, err = fields.text(f.field); err != nil {
			return Entry{}, err
		}
	}
	if e.Offset, err = fields.seconds(offset); err != nil {
		return Entry{}, err
	}
	if e.Duration, err = fields.seconds(duration); err != nil {
		return Entry{}, err
	}
	return e, nil
}

// text is the value of a field that must be a string. null counts as absent,
// as in Python.
func (f *Fields) text(field int) (string, error) {
	raw := f.value(field)
	switch {
	case raw == "" || raw == "null":
		return "", nil
	case raw[0] == '"':
		return jsonl.Unquote(raw[1 : len(raw)-1]), nil
	}
	return "", fmt.Errorf("%q is %s, not a string", f.nameAt(field), kindOf(raw))
}

func (f *Fields) seconds(field int) (time.Duration, error) {
	raw := f.value(field)
	if raw == "" || raw == "null" {
		return 0, nil
	}
	d, ok := parseSeconds(raw)
	if !ok {
		return 0, fmt.Errorf("%q is %s, not a number of seconds", f.nameAt(field), kindOf(raw))
	}
	return d, nil
}

// kindOf names a value in an error message.
func kindOf(raw string) string {
	switch raw[0] {
	case '"':
		return "the string " + clip(raw, 40)
	case '[':
		return "a list"
	case '{':
		return "an object"
	case 't', 'f':
		return "a truth value"
	}
	return "the number " + clip(raw, 40)
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}

// UnmarshalJSON reads an entry from one JSON object, for programs that carry
// entries in messages of their own. It accepts what [Read] accepts.
func (e *Entry) UnmarshalJSON(data []byte) error {
	parsed, err := parse(jsonl.Trim(data, 0))
	if err != nil {
		return fmt.Errorf("manifest entry: %w", err)
	}
	*e = parsed
	return nil
}
