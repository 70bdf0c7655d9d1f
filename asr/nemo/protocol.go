package nemo

import (
	"math"
	"time"

	"github.com/holdfast-go/holdfast/asr"
)

// The messages are explained in worker.py.

type request struct {
	Op         string `json:"op"`
	Job        int    `json:"job,omitempty"`
	Items      []item `json:"items,omitempty"`
	Repository string `json:"repository,omitempty"`
}

type loadRequest struct {
	Op      string `json:"op"`
	Model   string `json:"model"`
	Device  string `json:"device"`
	Threads int    `json:"threads"`
	Batch   int    `json:"batch"`
	Words   bool   `json:"words"`
	CPU     bool   `json:"cpu"`
}

type item struct {
	ID      string            `json:"id"`
	Path    string            `json:"path"`
	Seconds float64           `json:"seconds"`
	Prompt  map[string]string `json:"prompt"`
}

// event is any message of the worker; Event says which fields it has.
type event struct {
	Event string
	Step  string
	Path  string

	NeMo, Torch, Python, Model, Device, Temp string
	PID                                      int
	Rate                                     int
	Importing, Loading                       float64

	Job      int
	ID       string
	Text     string
	Elapsed  float64
	Words    []timed
	Segments []timed
	Memory   int64

	Kind, Message   string
	Causes, Cleanup []string
}

type timed struct {
	Text  string
	Start float64
	End   *float64 // null where NeMo does not know
}

// span keeps a stretch within the recording: short ones are heard with silence
// behind them.
func (t timed) span(length time.Duration) (start, end time.Duration) {
	start = seconds(t.Start)
	end = start
	if t.End != nil {
		end = max(start, seconds(*t.End))
	}
	if length > 0 {
		start, end = min(start, length), min(end, length)
	}
	return max(0, start), max(0, end)
}

func seconds(s float64) time.Duration {
	return time.Duration(math.Round(s*1000)) * time.Millisecond
}

// transcript turns a result into ours. Without words NeMo tells no times, so
// that the whole recording is one segment.
func (e *event) transcript(u asr.Utterance, language string) asr.Transcript {
	t := asr.Transcript{
		ID:       u.ID,
		Text:     e.Text,
		Language: language,
		Duration: u.Duration,
		Elapsed:  time.Duration(e.Elapsed * float64(time.Second)),
	}
	for _, w := range e.Words {
		start, end := w.span(u.Duration)
		t.Words = append(t.Words, asr.Word{Start: start, End: end, Text: w.Text})
	}
	for _, s := range e.Segments {
		start, end := s.span(u.Duration)
		t.Segments = append(t.Segments, asr.Segment{Start: start, End: end, Text: s.Text})
	}
	if len(t.Segments) == 0 && t.Text != "" {
		t.Segments = []asr.Segment{{End: u.Duration, Text: t.Text}}
	}
	return t
}
