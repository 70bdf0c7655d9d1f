package asr

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/manifest"
)

// MarshalJSON writes times in seconds, as every other tool of the field does.
func (s Segment) MarshalJSON() ([]byte, error) {
	return json.Marshal(timedText{Start: s.Start.Seconds(), End: s.End.Seconds(), Text: s.Text})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Segment) UnmarshalJSON(b []byte) error {
	var t timedText
	err := json.Unmarshal(b, &t)
	*s = Segment{Start: seconds(t.Start), End: seconds(t.End), Text: t.Text}
	return err
}

// MarshalJSON writes times in seconds and leaves out an unknown confidence.
func (w Word) MarshalJSON() ([]byte, error) {
	return json.Marshal(timedWord{Start: w.Start.Seconds(), End: w.End.Seconds(), Word: w.Text, Confidence: w.Confidence})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (w *Word) UnmarshalJSON(b []byte) error {
	var t timedWord
	err := json.Unmarshal(b, &t)
	*w = Word{Start: seconds(t.Start), End: seconds(t.End), Text: t.Word, Confidence: t.Confidence}
	return err
}

type timedText struct {
	Start float64 `json:"start"`
	End   float64 `json:"end"`
	Text  string  `json:"text"`
}

type timedWord struct {
	Start      float64 `json:"start"`
	End        float64 `json:"end"`
	Word       string  `json:"word"`
	Confidence float64 `json:"confidence,omitempty"`
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Microsecond)
}

// Fields that a journal's entry has beside those of the input.
const (
	segmentsField = "segments"
	wordsField    = "words"
	engineField   = "engine"
	elapsedField  = "elapsed"
)

// Entry makes the line that a journal has of a transcript: the fields of its
// source, with the text where NeMo looks for a prediction, and beside them
// "segments", "words" if the engine gives any, "engine", and "elapsed" in seconds.
// What JSON cannot hold, a number that is none, is an error.
func (t Transcript) Entry(by Engine) (manifest.Entry, error) {
	e := t.Source
	e.Duration, e.PredText, e.Lang = t.Duration, t.Text, t.Language
	segments := t.Segments
	if segments == nil {
		segments = []Segment{}
	}
	fields := []struct {
		name  string
		value any
	}{
		{segmentsField, segments},
		{engineField, by.Name + " " + by.Model},
		{elapsedField, t.Elapsed.Seconds()},
	}
	for _, f := range fields {
		if err := e.Extra.Set(f.name, f.value); err != nil {
			return e, err
		}
	}
	if t.Words == nil {
		e.Extra.Delete(wordsField) // the source may have those of another engine
		return e, nil
	}
	return e, e.Extra.Set(wordsField, t.Words)
}

// fromEntry is the way back. The source is that of the present run, not the
// one that the journal remembers: the same recording may have moved.
func fromEntry(id string, source, e manifest.Entry) (Transcript, error) {
	t := Transcript{ID: id, Text: e.PredText, Language: e.Lang, Duration: e.Duration, Resumed: true, Source: source}
	var elapsed float64
	for name, into := range map[string]any{segmentsField: &t.Segments, wordsField: &t.Words, elapsedField: &elapsed} {
		raw, ok := e.Extra.Get(name)
		if !ok {
			continue
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return t, fmt.Errorf("journal entry of %s: field %q: %w", e.AudioPath, name, err)
		}
	}
	t.Elapsed = seconds(elapsed)
	return t, nil
}
