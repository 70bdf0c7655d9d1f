package whispercpp

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// reply is the part of whisper-server's verbose_json that is used. Times are in
// seconds; what it calls words are tokens.
type reply struct {
	Language string          `json:"language"`
	Segments *[]replySegment `json:"segments"`
}

type replySegment struct {
	Text  string      `json:"text"`
	IDs   []int       `json:"tokens"`
	Start float64     `json:"start"`
	End   float64     `json:"end"`
	Words []replyWord `json:"words"`
}

type replyWord struct {
	Text       string  `json:"word"`
	Start      float64 `json:"start"`
	End        float64 `json:"end"`
	Confidence float64 `json:"probability"`
}

func parseReply(b []byte) (*reply, error) {
	var r reply
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("the server's answer is damaged: %w", err)
	}
	if r.Segments == nil {
		return nil, errors.New("the server's answer has no segments")
	}
	return &r, nil
}

// damaged tells whether the server had to make UTF-8 of bytes that were none:
// it does so with each half of a character that is split between two segments.
func (r *reply) damaged() bool {
	return slices.ContainsFunc(*r.Segments, replySegment.damaged)
}

func (s replySegment) damaged() bool { return strings.ContainsRune(s.Text, utf8.RuneError) }

// restore puts the bytes back that the tokens stand for.
func (r *reply) restore(vocabulary []string) {
	for i := range *r.Segments {
		s := &(*r.Segments)[i]
		outside := func(id int) bool { return id < 0 || id >= len(vocabulary) }
		if !s.damaged() || slices.ContainsFunc(s.IDs, outside) {
			continue
		}
		s.Text = ""
		for _, id := range s.IDs {
			s.Text += vocabulary[id]
		}
		// The server gives the tokens of one character as one word.
		ids := s.IDs
		for w := range s.Words {
			var raw string
			for begin := true; len(ids) > 0 && (begin || incomplete([]byte(raw)) > 0); begin = false {
				raw += vocabulary[ids[0]]
				ids = ids[1:]
			}
			s.Words[w].Text = raw
		}
	}
}

// output makes of the server's answer what whisper-cli would have written.
func (r *reply) output() *output {
	out := &output{}
	out.Result.Language = languageCode(r.Language)
	segments := make([]outputSegment, 0, len(*r.Segments))
	for _, s := range *r.Segments {
		segment := outputSegment{Offsets: offsetsOf(s.Start, s.End), Text: rawText(s.Text)}
		for _, w := range s.Words {
			segment.Tokens = append(segment.Tokens, outputToken{Text: rawText(w.Text), Confidence: w.Confidence, Offsets: offsetsOf(w.Start, w.End)})
		}
		segments = append(segments, segment)
	}
	out.Transcription = &segments
	return out
}

// offsetsOf makes milliseconds of seconds.
func offsetsOf(from, to float64) offsets {
	ms := func(s float64) int64 { return int64(math.Round(1000 * max(-1e6, min(s, 1e6)))) }
	return offsets{ms(from), ms(to)}
}
