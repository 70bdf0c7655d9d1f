//go:build unix

package jetstream_test

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr/jetstream"
)

// A worker sleeps for longer than it may be silent, as a laptop does. Another
// does its job; when it wakes up, its own result comes too late and changes
// nothing, and it works on.
func TestPausedWorker(t *testing.T) {
	const jobs = 20
	dir := tempDir(t)
	entries := record(t, filepath.Join(dir, "in"), 0, 2*jobs)
	address := freeAddress(t)
	start(t, "serve", filepath.Join(dir, "s"), address).await(t)
	fleet, err := jetstream.Connect(t.Context(), jetstream.Config{URL: "nats://" + address, AckWait: time.Second})
	require.NoError(t, err)
	defer fleet.Close()
	done := func() int {
		status, err := fleet.Status(t.Context(), "b")
		require.NoError(t, err)
		return status.Done
	}
	_, err = fleet.Submit(t.Context(), "b", input(entries[:jobs]), jetstream.SubmitOptions{})
	require.NoError(t, err)
	sleeper := start(t, "work", filepath.Join(dir, "w1"), "nats://"+address, "200")
	waitFor(t, func() bool { return done() > 0 })
	require.NoError(t, syscall.Kill(sleeper.Pid(), syscall.SIGSTOP))
	require.Less(t, done(), jobs)

	other := start(t, "work", filepath.Join(dir, "w2"), "nats://"+address, "10")
	path := filepath.Join(dir, "journal.jsonl")
	journal := openJournal(t, path)
	report, err := fleet.Collect(t.Context(), "b", journal, jetstream.CollectOptions{})
	require.NoError(t, err)
	require.Equal(t, jobs, report.Done)
	other.end()

	require.NoError(t, syscall.Kill(sleeper.Pid(), syscall.SIGCONT))
	_, err = fleet.Submit(t.Context(), "b", input(entries), jetstream.SubmitOptions{})
	require.NoError(t, err)
	report, err = fleet.Collect(t.Context(), "b", journal, jetstream.CollectOptions{})
	require.NoError(t, err)
	require.Equal(t, [2]int{jobs, jobs}, [2]int{report.Done, report.Resumed})
	require.Equal(t, 2*jobs, countLines(path))
	require.Equal(t, 2*jobs, done())
}
