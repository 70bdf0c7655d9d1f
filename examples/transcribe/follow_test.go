//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is put into a watched folder is transcribed: what was there, a file that
// is written in two goes, a folder that is moved in. Ctrl-C ends it, and that is
// no failure.
func TestWatch(t *testing.T) {
	d := newDesk(t, 1)
	cmd := d.command("-json", "-format", "txt", "-watch", d.in)
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	defer cmd.Process.Kill()
	results := json.NewDecoder(bufio.NewReader(pipe))
	next := func(want, name string) {
		t.Helper()
		var l line
		require.NoError(t, results.Decode(&l))
		require.Equal(t, want, l.Text)
		require.Equal(t, filepath.Join(d.in, name), l.AudioPath)
	}
	next("number 0", "00.wav")

	whole := wav(7)
	path := d.record("slow.wav", whole[:1000])
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.Write(whole[1000:])
	require.NoError(t, err)
	require.NoError(t, f.Close())
	next("number 7", "slow.wav")

	outside := filepath.Join(d.base, "talks")
	require.NoError(t, os.Mkdir(outside, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(outside, "a.wav"), wav(8), 0o600))
	require.NoError(t, os.Rename(outside, filepath.Join(d.in, "talks")))
	next("number 8", "talks/a.wav")
	d.record("talks/b.wav", wav(9)) // in a folder that was not there at first
	next("number 9", "talks/b.wav")

	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.NoError(t, cmd.Wait())
	require.Equal(t, "number 9\n", d.output("talks/b.txt"))
	scopes, err := os.ReadDir(filepath.Join(d.base, "root", "s"))
	require.NoError(t, err)
	require.Empty(t, scopes)
}
