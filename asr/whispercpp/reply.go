package whispercpp

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// reply is the part of whisper-server's verbose_json that is used. Times are in
// seconds; what it calls words are tokens.
type reply struct {
	Language string          `json:"language"`
	Segments *[]replySegment `json:"segments"`
}

type replySegment struct {
	Text  string      `json:"text"`
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

// parseReply makes of the server's answer what whisper-cli would have written.
func parseReply(b []byte) (*output, error) {
	var r reply
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("the server's answer is damaged: %w", err)
	}
	if r.Segments == nil {
		return nil, errors.New("the server's answer has no segments")
	}
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
	return out, nil
}

// offsetsOf makes milliseconds of seconds.
func offsetsOf(from, to float64) offsets {
	ms := func(s float64) int64 { return int64(math.Round(1000 * max(-1e6, min(s, 1e6)))) }
	return offsets{ms(from), ms(to)}
}
