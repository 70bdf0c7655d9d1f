package main

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/subtitle"
)

func isOpenAI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/v1/") }

// refuseOpenAI answers with an error as OpenAI's clients expect it. param is
// the field at fault; "": none.
func refuseOpenAI(w http.ResponseWriter, status int, param, message string) {
	problem := map[string]any{"message": message, "type": "invalid_request_error", "param": nil, "code": nil}
	if status >= 500 {
		problem["type"] = "server_error"
	}
	if param != "" {
		problem["param"] = param
	}
	answer(w, status, map[string]any{"error": problem})
}

// verbose is verbose_json. The numbers about the decoder are there because
// clients demand them; no engine here tells them.
type verbose struct {
	Task     string           `json:"task"`
	Language string           `json:"language"`
	Duration float64          `json:"duration"`
	Text     string           `json:"text"`
	Segments []verboseSegment `json:"segments"`
	Words    []verboseWord    `json:"words,omitempty"`
}

type verboseSegment struct {
	ID               int     `json:"id"`
	Seek             int     `json:"seek"`
	Start            float64 `json:"start"`
	End              float64 `json:"end"`
	Text             string  `json:"text"`
	Tokens           []int   `json:"tokens"`
	Temperature      float64 `json:"temperature"`
	AvgLogprob       float64 `json:"avg_logprob"`
	CompressionRatio float64 `json:"compression_ratio"`
	NoSpeechProb     float64 `json:"no_speech_prob"`
}

type verboseWord struct {
	Word  string  `json:"word"`
	Start float64 `json:"start"`
	End   float64 `json:"end"`
}

func (s *server) answerTranscription(w http.ResponseWriter, f form, t asr.Transcript) {
	switch f.format {
	case "json":
		answer(w, http.StatusOK, map[string]string{"text": t.Text})
	case "verbose_json":
		answer(w, http.StatusOK, verboseOf(t, f.words))
	case "text":
		sendText(w, "text/plain", []byte(t.Text+"\n"))
	default:
		var b bytes.Buffer
		if err := subtitle.Write(&b, subtitle.Format(f.format), t); err != nil {
			refuseOpenAI(w, http.StatusInternalServerError, "", err.Error())
			return
		}
		contentType := "text/plain"
		if f.format == "vtt" {
			contentType = "text/vtt"
		}
		sendText(w, contentType, b.Bytes())
	}
}

func sendText(w http.ResponseWriter, contentType string, text []byte) {
	w.Header().Set("Content-Type", contentType+"; charset=utf-8")
	w.Write(text)
}

func verboseOf(t asr.Transcript, words bool) verbose {
	v := verbose{Task: "transcribe", Language: t.Language, Duration: t.Duration.Seconds(), Text: t.Text, Segments: []verboseSegment{}}
	for i, s := range t.Segments {
		v.Segments = append(v.Segments, verboseSegment{
			ID: i, Start: s.Start.Seconds(), End: s.End.Seconds(), Text: s.Text, Tokens: []int{},
		})
	}
	if words {
		for _, word := range t.Words {
			v.Words = append(v.Words, verboseWord{Word: word.Text, Start: word.Start.Seconds(), End: word.End.Seconds()})
		}
	}
	return v
}
