package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The file of the results grows with its batch, and is nobody's to replace once somebody has corrected it or
// another batch has it.
func TestCollectReplacesNothing(t *testing.T) {
	d := newDesk(t, 3)
	d.serve()
	d.work("-engine", "fake", "-fake-time", "0s")
	collect := func(batch string, recordings ...string) (stdout, stderr string) {
		t.Helper()
		args := []string{"-batch", batch}
		for _, name := range recordings {
			args = append(args, filepath.Join(d.in, name))
		}
		code, _, stderr := d.run("submit", args...)
		require.Zero(t, code, stderr)
		code, stdout, stderr = d.run("collect", "-batch", batch)
		require.Zero(t, code, stderr)
		return stdout, stderr
	}
	results := func() map[string]int { // lines by name
		t.Helper()
		names, err := filepath.Glob(filepath.Join(d.out, "*.json"))
		require.NoError(t, err)
		lines := make(map[string]int)
		for _, name := range names {
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			lines[filepath.Base(name)] = strings.Count(string(b), "\n")
		}
		return lines
	}

	_, said := collect("one", "00.wav")
	require.NotContains(t, said, "stays")
	collect("one", "00.wav", "01.wav")
	collect("one", "00.wav", "01.wav")
	require.Equal(t, map[string]int{"transcripts.json": 2}, results())

	out, said := collect("two", "02.wav")
	require.Contains(t, out, "transcripts-two.json")
	require.Contains(t, said, "transcripts.json is there with other lines and stays")
	require.Equal(t, map[string]int{"transcripts.json": 2, "transcripts-two.json": 1}, results())

	corrected := []byte("corrected\n")
	for _, name := range []string{"transcripts.json", "transcripts-two.json"} {
		require.NoError(t, os.WriteFile(filepath.Join(d.out, name), corrected, 0o600))
	}
	out, _ = collect("two", "02.wav")
	require.Regexp(t, `transcripts-two-[0-9a-f]{8}\.json`, out)
	collect("two", "02.wav")
	require.Len(t, results(), 3)
	for _, name := range []string{"transcripts.json", "transcripts-two.json"} {
		b, err := os.ReadFile(filepath.Join(d.out, name))
		require.NoError(t, err)
		require.Equal(t, corrected, b)
	}
	left, err := filepath.Glob(filepath.Join(d.out, "*publish*"))
	require.NoError(t, err)
	require.Empty(t, left)
}
