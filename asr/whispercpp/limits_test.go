package whispercpp

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/internal/ggml/scripted"
	"github.com/holdfast-go/holdfast/tempdir"
)

// An engine that does not even start is not waited for without end.
func TestLimits(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, scripted.Write(&b, scripted.Script{}))
	model := filepath.Join(t.TempDir(), "model.bin")
	require.NoError(t, os.WriteFile(model, b.Bytes(), 0o600))
	dir, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	root, err := tempdir.Open(t.Context(), dir, tempdir.Options{})
	require.NoError(t, err)
	for role, want := range map[string]string{
		"no help":            "has not listed its options",
		"no answer at start": "was not ready",
	} {
		t.Setenv(roleVariable, role)
		e, err := Open(t.Context(), Config{Server: exe, Model: model, Root: root})
		require.NoError(t, err)
		switch role {
		case "no help":
			e.limits.help = time.Millisecond
		case "no answer at start":
			e.limits.start = time.Millisecond
		}
		recording := filepath.Join("..", "..", "examples", "transcribe", "sample.wav")
		for _, err = range e.Transcribe(t.Context(), []asr.Utterance{{ID: "1", Path: recording}}) {
		}
		dead, ok := errors.AsType[*asr.EngineError](err)
		require.True(t, ok, "%v", err)
		require.False(t, dead.Fatal)
		require.ErrorContains(t, err, want)
		require.NoError(t, e.Close())
	}
}
