package manifest_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
)

// writer is another process that appends to a journal.
type writer struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

func startWriter(t *testing.T, path string, env ...string) *writer {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), writerJournal+"="+path), env...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return &writer{cmd, bufio.NewReader(out)}
}

// acked returns the numbers that the writer tells, most of them; negative: all
// until it ends. Half a line, as a kill leaves it, does not count.
func (w *writer) acked(t *testing.T, most int) (numbers []int) {
	t.Helper()
	for most < 0 || len(numbers) < most {
		line, err := w.out.ReadString('\n')
		if errors.Is(err, io.EOF) {
			require.Negative(t, most, "the writer ended by itself")
			return numbers
		}
		require.NoError(t, err)
		n, err := strconv.Atoi(strings.TrimSpace(line))
		require.NoError(t, err)
		numbers = append(numbers, n)
	}
	return numbers
}

func (w *writer) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, w.cmd.Process.Kill())
}

// reopen opens a journal whose writer is dead; Windows may take a moment to
// release its lock.
func reopen(t *testing.T, path string) *manifest.Journal {
	t.Helper()
	var j *manifest.Journal
	require.Eventually(t, func() bool {
		var err error
		j, err = manifest.OpenJournal(context.Background(), path, manifest.Options{})
		if !errors.Is(err, manifest.ErrInUse) {
			require.NoError(t, err)
		}
		return err == nil
	}, time.Minute, time.Millisecond)
	return j
}

// TestKilledWriters kills a process again and again, at random points. It does
// so HOLDFAST_KILLS times, 1000 before a release.
func TestKilledWriters(t *testing.T) {
	kills := 20
	if n, err := strconv.Atoi(os.Getenv("HOLDFAST_KILLS")); err == nil {
		kills = n
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var path string
	var acked map[int]bool
	total, torn := 0, 0
	for i := range kills {
		if i%20 == 0 {
			path, acked = filepath.Join(t.TempDir(), "j"), make(map[int]bool)
		}
		w := startWriter(t, path)
		numbers := w.acked(t, random.IntN(50))
		w.kill(t)
		numbers = append(numbers, w.acked(t, -1)...)
		for _, n := range numbers {
			acked[n] = true
		}
		_ = w.cmd.Wait() // it was killed

		j := reopen(t, path)
		for n := range acked {
			e, ok := j.Lookup(key(n))
			require.True(t, ok, "seed %d: record %d was acknowledged", seed, n)
			require.Equal(t, result(n).PredText, e.PredText)
		}
		require.Empty(t, j.Damaged())
		if j.Torn() > 0 {
			torn++
		}
		total += len(numbers)
		require.NoError(t, j.Close())
	}
	t.Logf("%d kills, %d records acknowledged, %d torn ends", kills, total, torn)
}

func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	w := startWriter(t, path)
	numbers := w.acked(t, 3)
	_, err := manifest.OpenJournal(t.Context(), path, manifest.Options{})
	require.ErrorIs(t, err, manifest.ErrInUse)

	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerJournal+"="+path)
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), manifest.ErrInUse.Error())

	// Reading along is always possible.
	seen := make(map[string]bool)
	for r, err := range manifest.Follow(t.Context(), path, manifest.Options{}) {
		require.NoError(t, err)
		if seen[r.Key] = true; seen[key(numbers[0])] && seen[key(numbers[1])] && seen[key(numbers[2])] {
			break
		}
	}
	w.kill(t)
	_ = w.acked(t, -1)
	_ = w.cmd.Wait()
	require.NoError(t, reopen(t, path).Close())
}
