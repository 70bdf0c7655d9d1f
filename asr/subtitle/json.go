package subtitle

import (
	"bufio"
	"encoding/json"

	"github.com/holdfast-go/holdfast/asr"
)

// The shape of openai-whisper's JSON, as far as every engine can fill it.
type document struct {
	Text     string    `json:"text"`
	Segments []segment `json:"segments"`
	Language string    `json:"language"`
}

type segment struct {
	ID    int     `json:"id"`
	Start float64 `json:"start"` // seconds
	End   float64 `json:"end"`
	Text  string  `json:"text"`
	Words []word  `json:"words,omitempty"`
}

type word struct {
	Word        string  `json:"word"`
	Start       float64 `json:"start"`
	End         float64 `json:"end"`
	Probability float64 `json:"probability,omitempty"`
}

func writeJSON(w *bufio.Writer, t asr.Transcript, segments []asr.Segment) error {
	doc := document{Text: t.Text, Language: t.Language, Segments: []segment{}}
	words := t.Words
	for i, s := range segments {
		out := segment{ID: i, Start: s.Start.Seconds(), End: s.End.Seconds(), Text: s.Text}
		last := i == len(segments)-1
		for len(words) > 0 && (last || words[0].Start < segments[i+1].Start) {
			from, to := span(words[0].Start, words[0].End)
			out.Words = append(out.Words, word{
				Word: words[0].Text, Start: from.Seconds(), End: to.Seconds(), Probability: confidence(words[0]),
			})
			words = words[1:]
		}
		doc.Segments = append(doc.Segments, out)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}
