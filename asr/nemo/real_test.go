package nemo_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/nemo"
	"github.com/holdfast-go/holdfast/internal/lane"
)

func TestSkeleton(t *testing.T) {
	python, models := lane.NeMo(t)
	engine, err := nemo.Open(t.Context(), nemo.Config{Python: python, Model: filepath.Join(models, "tiny-ctc-bpe.nemo"), Root: openRoot(t), Words: true,
		Trace: nemo.Trace{Step: func(s string) { t.Log(s) }, Ready: func(w nemo.Worker) { t.Logf("%+v", w) }}})
	require.NoError(t, err)
	defer engine.Close()
	dir := t.TempDir()
	var batch []asr.Utterance
	for i, text := range sentences {
		batch = append(batch, record(t, dir, string(rune('a'+i)), say(text)))
	}
	for transcript, err := range engine.Transcribe(t.Context(), batch) {
		require.NoError(t, err)
		t.Log(transcript)
	}
}
