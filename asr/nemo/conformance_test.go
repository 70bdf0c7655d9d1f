package nemo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/asrtest"
	"github.com/holdfast-go/holdfast/asr/nemo"
	"github.com/holdfast-go/holdfast/tempdir"
)

func TestConformance(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		model := b.model(t, "ctc-bpe")
		open := func(c nemo.Config) func(t *testing.T, root *tempdir.Root) asr.Transcriber {
			return func(t *testing.T, root *tempdir.Root) asr.Transcriber {
				c.Python, c.Model, c.Root = b.python, model, root
				engine, err := nemo.Open(t.Context(), c)
				require.NoError(t, err)
				return engine
			}
		}
		var speech []asrtest.Clip
		dir := t.TempDir()
		for _, text := range []string{"hello world", "never lose job back up"} {
			speech = append(speech, asrtest.Clip{Path: record(t, dir, text, say(text)).Path, Text: text})
		}
		asrtest.Run(t, asrtest.Harness{
			Open:   open(nemo.Config{Words: true}),
			Other:  open(nemo.Config{}),
			Speech: speech,
		})
	})
}
