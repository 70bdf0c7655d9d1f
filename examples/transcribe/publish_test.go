package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/subtitle"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
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

// What a killed run was just writing goes with the next run, even if that has
// nothing to write there. What a run with another journal is just writing stays:
// its output folder may be one below ours.
func TestTidies(t *testing.T) {
	d := newDesk(t, 1)
	monday := filepath.Join(d.in, "monday")
	require.NoError(t, os.Mkdir(monday, 0o700))
	require.NoError(t, os.Rename(filepath.Join(d.in, "00.wav"), filepath.Join(monday, "00.wav")))
	below := filepath.Join(d.out, "monday")
	require.NoError(t, os.MkdirAll(below, 0o700))
	var files retry.FS
	neighbour, err := files.NewPending(t.Context(), filepath.Join(below, "01.txt"))
	require.NoError(t, err)
	defer neighbour.Close()

	for _, what := range []string{"a transcript is written", "it is there"} {
		half := filepath.Join(below, ".holdfast-0123456789abcdef.tmp")
		require.NoError(t, os.WriteFile(half, nil, 0o600))
		killed := time.Now().Add(-2 * abandoned)
		require.NoError(t, os.Chtimes(half, killed, killed))
		code, _, stderr := d.run(d.in)
		require.Zero(t, code, stderr)
		require.NoFileExists(t, half, what)
		require.FileExists(t, neighbour.Name(), what)
		require.FileExists(t, filepath.Join(below, "00.txt"))
	}
	require.NoError(t, neighbour.Commit(t.Context()))
}

// What cannot be tidied fails nothing.
func TestTidiesLater(t *testing.T) {
	out := t.TempDir()
	half := filepath.Join(out, ".holdfast-0123456789abcdef.tmp")
	require.NoError(t, os.WriteFile(half, nil, 0o600))
	require.NoError(t, os.Chtimes(half, time.Unix(0, 0), time.Unix(0, 0)))
	files := locktest.Inject(t, retry.FS{}, locktest.Fault{On: retry.OpRemove, Err: retry.Errno(32), Times: -1})
	files.Policy.Budget = -1
	var said bytes.Buffer
	p := publisher{files: files, out: out, formats: []subtitle.Format{subtitle.TXT}, log: slog.New(slog.NewTextHandler(&said, nil))}
	require.NoError(t, p.write(t.Context(), asr.Transcript{ID: "1", Text: "a", Source: manifest.Entry{AudioPath: "a.wav"}}))
	p.tidy(t.Context())
	require.Contains(t, said.String(), "a killed run")
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
