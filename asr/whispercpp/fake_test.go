package whispercpp_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
)

// openFake opens the fake in a role; change may be nil.
func openFake(t *testing.T, role string, server bool, change func(*whispercpp.Config)) *whispercpp.Transcriber {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	t.Setenv("WHISPERCPP_TEST_ROLE", role)
	t.Setenv("WHISPERCPP_TEST_MARK", filepath.Join(t.TempDir(), "mark"))
	c := whispercpp.Config{Binary: exe, Model: modelFile(t, silentModel()), Root: openRoot(t)}
	if server {
		c.Binary, c.Server = "", exe
	}
	if change != nil {
		change(&c)
	}
	engine, err := whispercpp.Open(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	return engine
}

// bothModes runs a test with the fake as a program and as a server.
func bothModes(t *testing.T, f func(t *testing.T, server bool)) {
	t.Run("cli", func(t *testing.T) { f(t, false) })
	t.Run("server", func(t *testing.T) { f(t, true) })
}

func second(t *testing.T) asr.Utterance {
	return asr.Utterance{ID: "0123456789abcdef", Path: silence(t, 2*time.Second), Duration: 2 * time.Second}
}
