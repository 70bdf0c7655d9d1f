package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
)

// A recording of which the manifest has both the whole and its beginning: each
// is written as it was given.
func TestSplitKeepsStretches(t *testing.T) {
	d := newDesk(t, 1)
	given := []manifest.Entry{{AudioPath: filepath.Join(d.in, "00.wav")}, {AudioPath: filepath.Join(d.in, "00.wav"), Duration: 50 * time.Millisecond}}
	var lines []byte
	for _, e := range given {
		lines = append(e.AppendJSON(lines), '\n')
	}
	list := filepath.Join(d.base, "list.json")
	require.NoError(t, os.WriteFile(list, lines, 0o600))
	var out, errs bytes.Buffer
	require.Zero(t, run(t.Context(), []string{"split", "-n", "1", "-out", d.out, list}, &out, &errs), errs.String())
	got, err := manifest.Load(t.Context(), filepath.Join(d.out, "manifest_0.json"), manifest.Options{})
	require.NoError(t, err)
	require.Len(t, got, 2)
	for n, e := range got {
		require.Equal(t, given[n].Duration, e.Duration)
	}
}

func TestSplitReplacesNoOtherManifest(t *testing.T) {
	d := newDesk(t, 2)
	split := func(shards string) (code int, stderr string) {
		var out, errs bytes.Buffer
		code = run(t.Context(), []string{"split", "-n", shards, "-out", d.out, d.in}, &out, &errs)
		return code, errs.String()
	}
	code, stderr := split("2")
	require.Zero(t, code, stderr)
	code, stderr = split("2")
	require.Zero(t, code, stderr)
	second := filepath.Join(d.out, "manifest_1.json")
	corrected := []byte("{\"audio_filepath\": \"corrected.wav\"}\n")
	require.NoError(t, os.WriteFile(second, corrected, 0o600))
	require.NoError(t, os.Remove(filepath.Join(d.out, "manifest_0.json")))
	code, stderr = split("2")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "manifest_1.json is there and differs")
	require.NoFileExists(t, filepath.Join(d.out, "manifest_0.json"))
	b, err := os.ReadFile(second)
	require.NoError(t, err)
	require.Equal(t, corrected, b)
}
