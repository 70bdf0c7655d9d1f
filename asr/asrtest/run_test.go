package asrtest_test

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/asrtest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// The fake looks at no file, so Rule has to do it: damaged recordings fail.
func TestFake(t *testing.T) {
	hear := func(_ int, u asr.Utterance) asrtest.Answer {
		if _, err := asr.Inspect(t.Context(), u.Path); err != nil {
			return asrtest.Answer{Err: err}
		}
		return asrtest.Answer{Text: "a tone", Words: []asr.Word{{Text: "a"}, {Text: "tone", End: u.Duration}}}
	}
	open := func(about asr.Engine) func(*testing.T, *tempdir.Root) asr.Transcriber {
		return func(*testing.T, *tempdir.Root) asr.Transcriber {
			return asrtest.NewFake(asrtest.Script{Engine: about, Rule: hear})
		}
	}
	asrtest.Run(t, asrtest.Harness{
		Open:     open(asr.Engine{MaxBatch: 8, MaxParallel: 3}),
		Other:    open(asr.Engine{Model: "another script"}),
		Patience: time.Minute,
		NoSpeech: "it does not listen",
		NoKill:   "it has no process",
	})
}
