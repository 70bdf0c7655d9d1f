//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The program is killed at random moments until it comes to its end. Whatever
// it had shown by then is in the journal, every recording has one transcript,
// and no temporary file is left: those in the output folder go later, since they
// could be a neighbour's.
func TestKillNine(t *testing.T) {
	const recordings = 20
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	d := newDesk(t, recordings)
	shown := map[string]string{} // id, text
	kills, limit := 0, 60
	for {
		before := len(shown)
		cmd := d.command("-json", d.in)
		cmd.Env = append(cmd.Env, delayVariable+"=5")
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		require.NoError(t, cmd.Start())
		timer := time.AfterFunc(time.Duration(15+random.IntN(limit))*time.Millisecond, func() { cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		for _, l := range lines(t, stdout.String()) {
			shown[l.ID] = l.Text
		}
		if err == nil {
			break
		}
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		require.Equal(t, syscall.SIGKILL, status.Signal(), stderr.String())
		kills++
		if len(shown) == before {
			limit += limit / 4 // a slow machine needs longer to get anywhere
		}
		require.Less(t, kills, 500, "no progress is made")
	}
	t.Logf("killed %d times", kills)
	require.Len(t, shown, recordings)

	seen := map[string]int{}
	for text := range strings.Lines(d.output(journalName)) {
		for n := range recordings {
			if strings.Contains(text, fmt.Sprintf(`"pred_text": "number %d"`, n)) {
				seen[fmt.Sprint(n)]++
			}
		}
	}
	require.Len(t, seen, recordings)
	for n := range recordings {
		require.Equal(t, 1, seen[fmt.Sprint(n)], "recording %d is in the journal once", n)
		require.Equal(t, fmt.Sprintf("number %d\n", n), d.output(fmt.Sprintf("%02d.txt", n)))
	}
	scopes, err := os.ReadDir(filepath.Join(d.base, "root", "s"))
	require.NoError(t, err)
	require.Empty(t, scopes)
	partial := func() []string {
		t.Helper()
		names, err := filepath.Glob(filepath.Join(d.out, ".holdfast-*"))
		require.NoError(t, err)
		return names
	}
	earlier := time.Now().Add(-2 * abandoned)
	for _, name := range partial() {
		require.NoError(t, os.Chtimes(name, earlier, earlier))
	}
	code, _, said := d.run(d.in)
	require.Zero(t, code, said)
	require.Empty(t, partial())
}

// Ctrl-C stops the engine, keeps what is done, says how to go on, and leaves no
// temporary file.
func TestInterrupt(t *testing.T) {
	d := newDesk(t, 2)
	code, _, stderr := d.run(filepath.Join(d.in, "00.wav"))
	require.Zero(t, code, stderr)

	cmd := d.command(d.in)
	cmd.Env = append(cmd.Env, delayVariable+"=60000")
	pipe, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	said := bufio.NewReader(pipe)
	line, err := said.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "resuming: 1 done, 1 to do (100ms of audio)\n", line)
	line, err = said.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "transcribing")
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	rest, err := io.ReadAll(said)
	require.NoError(t, err)
	require.Error(t, cmd.Wait())
	require.Equal(t, exitFailed, cmd.ProcessState.ExitCode())
	require.Contains(t, string(rest), "interrupted; what was done (1) is safe. The same command goes on from there.")
	scopes, err := os.ReadDir(filepath.Join(d.base, "root", "s"))
	require.NoError(t, err)
	require.Empty(t, scopes)
}

// Interrupted in the middle, the next run says what is done and what is to do.
func TestInterruptInTheMiddle(t *testing.T) {
	const recordings = 12
	d := newDesk(t, recordings)
	cmd := d.command("-json", d.in)
	cmd.Env = append(cmd.Env, delayVariable+"=20")
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	shown := bufio.NewScanner(pipe)
	for range recordings / 2 {
		require.True(t, shown.Scan())
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	_, err = io.Copy(io.Discard, pipe)
	require.NoError(t, err)
	require.Error(t, cmd.Wait())

	done := strings.Count(d.output(journalName), "\n")
	require.GreaterOrEqual(t, done, recordings/2)
	code, stdout, stderr := d.run("-json", d.in)
	require.Zero(t, code, stderr)
	require.Len(t, lines(t, stdout), recordings)
	require.Contains(t, stderr, fmt.Sprintf("resuming: %d done, %d to do (", done, recordings-done))
	require.Contains(t, stderr, fmt.Sprintf("%d transcribed, %d resumed, 0 failed", recordings-done, done))
	require.Equal(t, recordings, strings.Count(d.output(journalName), "\n"))
}
