package whispercpp_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/asrtest"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/internal/ggml/scripted"
	"github.com/holdfast-go/holdfast/internal/lane"
	"github.com/holdfast-go/holdfast/tempdir"
)

// conform runs the suite with an engine of c, whose Root is not used.
func conform(t *testing.T, c whispercpp.Config, h asrtest.Harness) {
	opener := func(c whispercpp.Config) func(*testing.T, *tempdir.Root) asr.Transcriber {
		return func(t *testing.T, root *tempdir.Root) asr.Transcriber {
			c.Root = root
			engine, err := whispercpp.Open(t.Context(), c)
			require.NoError(t, err)
			return engine
		}
	}
	c.Words, c.Processes = true, 2
	h.Open = opener(c)
	c.Words = false
	h.Other = opener(c)
	asrtest.Run(t, h)
}

func TestConformanceScripted(t *testing.T) {
	model := scriptedModel(t, scripted.Script{Segments: []scripted.Segment{
		{Text: " Hello there,", End: 1200 * time.Millisecond}, {Tokens: []string{" \xe6\x97"}, End: 3 * time.Second}, {Tokens: []string{"\xa5", " bye."}, End: 5 * time.Second},
	}})
	realEngines(t, func(t *testing.T, c whispercpp.Config) {
		c.Model = model
		conform(t, c, asrtest.Harness{NoSpeech: "the model is scripted and hears nothing"})
	})
}

// The suite makes many calls, so that real words are heard by the current engine
// alone, in both modes.
func TestConformanceSpeech(t *testing.T) {
	clips := speech(t)
	programs := lane.WhisperCPPs(t)
	realEngines(t, func(t *testing.T, c whispercpp.Config) {
		if c.Server == "" && c.Binary != programs[len(programs)-1] {
			t.Skip("an older engine; TestConformanceScripted has it")
		}
		c.Model, c.Beams = lane.WhisperModel(t), 1 // greedy costs half as much
		conform(t, c, asrtest.Harness{Speech: clips})
	})
}

// speech cuts a recording of the examples at the pause that is in it.
func speech(t *testing.T) []asrtest.Clip {
	t.Helper()
	whole, err := os.ReadFile(filepath.Join("..", "..", "examples", "transcribe", "sample.wav"))
	require.NoError(t, err)
	const header, second = 44, 32000
	part := func(name, text string, sound []byte) asrtest.Clip {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, wave(sound), 0o600))
		return asrtest.Clip{Path: path, Text: text}
	}
	const pause = header + 17*second/10
	return []asrtest.Clip{
		part("morning.wav", "Good morning everyone.", whole[header:pause]),
		part("railway.wav", "Today we will talk about the history of the railway in England.", whole[pause:]),
	}
}
