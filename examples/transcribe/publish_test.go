package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/subtitle"
	"github.com/holdfast-go/holdfast/manifest"
)

func TestNames(t *testing.T) {
	p := publisher{folders: []string{"in"}}
	names := func(path string, offset time.Duration) []string {
		return p.names(asr.Transcript{ID: "id", Duration: 1500 * time.Millisecond, Source: manifest.Entry{AudioPath: path, Offset: offset}})
	}
	talk := filepath.Join("in", "monday", "Talk.wav")
	rel := filepath.Join("monday", "Talk")
	require.Equal(t, []string{rel, rel + "-id"}, names(talk, 0))
	require.Equal(t, []string{rel, rel + "-id"}, names(talk, 0), "it is the same one")
	require.Equal(t, []string{rel + ".2000-3500", rel + ".2000-3500-id"}, names(talk, 2*time.Second), "a stretch")
	require.Equal(t, []string{filepath.Join("monday", "talk-id")}, names(filepath.Join("in", "monday", "talk.mp4"), 0), "one file on Windows")
	require.Equal(t, []string{"x", "x-id"}, names(filepath.Join("elsewhere", "x.wav"), 0))
}

// What a killed run was just writing is removed.
func TestTidies(t *testing.T) {
	out := t.TempDir()
	half := filepath.Join(out, ".holdfast-0123456789abcdef.tmp")
	require.NoError(t, os.WriteFile(half, nil, 0o600))
	p := publisher{out: out, formats: []subtitle.Format{subtitle.TXT}, log: slog.New(slog.DiscardHandler)}
	require.NoError(t, p.write(t.Context(), asr.Transcript{ID: "1", Text: "a", Source: manifest.Entry{AudioPath: "a.wav"}}))
	require.NoFileExists(t, half)
	require.FileExists(t, filepath.Join(out, "a.txt"))
}

// Results have the permissions that any program's files have.
func TestPermissions(t *testing.T) {
	d := newDesk(t, 1)
	usual := filepath.Join(d.base, "usual")
	require.NoError(t, os.WriteFile(usual, nil, 0o666))
	code, _, stderr := d.run(d.in)
	require.Zero(t, code, stderr)
	want, err := os.Stat(usual)
	require.NoError(t, err)
	for _, name := range []string{"00.txt", journalName} {
		got, err := os.Stat(filepath.Join(d.out, name))
		require.NoError(t, err)
		require.Equal(t, want.Mode(), got.Mode(), name)
	}
}
