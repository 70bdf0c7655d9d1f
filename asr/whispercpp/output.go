package whispercpp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

// output is the part of whisper.cpp's -ojf file that is used.
type output struct {
	Model struct {
		Vocabulary int `json:"vocab"`
	} `json:"model"`
	Result struct {
		Language string `json:"language"`
	} `json:"result"`
	Transcription *[]outputSegment `json:"transcription"`
}

type outputSegment struct {
	Offsets offsets       `json:"offsets"`
	Text    rawText       `json:"text"`
	Tokens  []outputToken `json:"tokens"`
}

type outputToken struct {
	Text       rawText `json:"text"`
	ID         int     `json:"id"`
	Confidence float64 `json:"p"`
	Offsets    offsets `json:"offsets"`
}

type offsets struct { // milliseconds
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

var errNoOutput = errors.New("the engine wrote no output")

// readOutput accepts the file only if it is complete and that of our model.
func (t *Transcriber) readOutput(ctx context.Context, path string) (*output, error) {
	b, err := t.config.FS.ReadFile(context.WithoutCancel(ctx), path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoOutput
	}
	if err != nil {
		return nil, err
	}
	return parseOutput(b, t.model.Vocab)
}

func parseOutput(b []byte, vocabulary int) (*output, error) {
	var out output
	if err := json.Unmarshal(escapeControls(b), &out); err != nil {
		return nil, fmt.Errorf("the engine's output is damaged: %w", err)
	}
	if out.Transcription == nil {
		return nil, errors.New("the engine's output has no transcription")
	}
	if out.Model.Vocabulary != vocabulary {
		return nil, fmt.Errorf("the engine's output is that of another model: vocabulary of %d, not %d", out.Model.Vocabulary, vocabulary)
	}
	return &out, nil
}

// escapeControls makes JSON of what whisper.cpp writes, which escapes only the
// quote and the backslash and leaves line breaks and other control bytes as
// they are.
func escapeControls(b []byte) []byte {
	out := make([]byte, 0, len(b)+64)
	quoted := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case !quoted:
			quoted = c == '"'
			out = append(out, c)
		case c == '\\' && i+1 < len(b):
			i++
			out = append(out, c, b[i])
		case c < 0x20:
			out = fmt.Appendf(out, `\u%04x`, c)
		default:
			quoted = c != '"'
			out = append(out, c)
		}
	}
	return out
}

// rawText is a JSON string whose bytes need not be UTF-8: whisper.cpp may split
// a character between two segments, and Go's own decoder would replace both
// halves before they can be joined.
type rawText []byte

func (r *rawText) UnmarshalJSON(b []byte) error {
	var s string
	if !bytes.ContainsFunc(b, func(c rune) bool { return c == '\uFFFD' }) {
		err := json.Unmarshal(b, &s)
		*r = []byte(s)
		return err
	}
	// Carry each byte that is not ASCII through as a code point of its own.
	wide := make([]rune, len(b))
	for i, c := range b {
		wide[i] = rune(c)
	}
	if err := json.Unmarshal([]byte(string(wide)), &s); err != nil {
		return err
	}
	for _, c := range s {
		if c < 0x100 {
			*r = append(*r, byte(c))
		} else {
			*r = append(*r, string(c)...)
		}
	}
	return nil
}
