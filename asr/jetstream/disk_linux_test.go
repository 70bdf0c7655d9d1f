package jetstream_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr/jetstream"
	"github.com/holdfast-go/holdfast/internal/lane"
)

// mount mounts something on a new directory, or skips the test.
func mount(t *testing.T, args ...string) string {
	t.Helper()
	dir := filepath.Join(tempDir(t), "m")
	require.NoError(t, os.Mkdir(dir, 0o700))
	if out, err := exec.Command("mount", append(args, dir)...).CombinedOutput(); err != nil {
		lane.Missing(t, "mount", "cannot mount (only root may): "+string(bytes.TrimSpace(out)))
	}
	t.Cleanup(func() { exec.Command("umount", "--lazy", dir).Run() })
	return dir
}

// The server's disk fills up and is emptied again: the server comes back by
// itself, and nothing was lost.
func TestDiskFull(t *testing.T) {
	disk := mount(t, "-t", "tmpfs", "-o", "size=24m,mode=700", "none")
	dir := tempDir(t)
	const jobs = 300
	entries := record(t, filepath.Join(dir, "in"), 0, jobs)
	address := freeAddress(t)
	server := start(t, "serve", filepath.Join(disk, "s"), address)
	server.await(t)
	fleet, err := jetstream.Connect(t.Context(), jetstream.Config{URL: "nats://" + address, AckWait: 2 * time.Second})
	require.NoError(t, err)
	defer fleet.Close()
	submitted := make(chan error, 1)
	go func() {
		_, err := fleet.Submit(t.Context(), "b", input(entries), jetstream.SubmitOptions{})
		submitted <- err
	}()
	for range 2 {
		start(t, "work", filepath.Join(dir, "w"), "nats://"+address, "60").await(t)
	}
	waitFor(t, func() bool {
		status, err := fleet.Status(t.Context(), "b")
		return err == nil && status.Done > 20
	})
	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	waitFor(t, func() bool {
		fill(t, filler) // the server frees some space now and then
		return server.hasSaid("the store could not be written")
	})
	waitFor(t, func() bool { return server.hasSaid("make room") })
	require.NoError(t, os.Remove(filler))

	require.NoError(t, <-submitted)
	path := filepath.Join(dir, "journal.jsonl")
	report, err := fleet.Collect(t.Context(), "b", openJournal(t, path), jetstream.CollectOptions{})
	require.NoError(t, err)
	require.Equal(t, jobs, report.Done)
	require.Equal(t, jobs, countLines(path))
}

// fill takes all space that is left.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer f.Close()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2]
		} else {
			require.NoError(t, err)
		}
	}
}

// The power fails under the server: what is on the disk at this moment, without
// what the system has not written yet, has every acknowledged job and result.
func TestPowerCut(t *testing.T) {
	dir := tempDir(t)
	image := filepath.Join(dir, "image")
	require.NoError(t, os.WriteFile(image, nil, 0o600))
	require.NoError(t, os.Truncate(image, 300<<20))
	if out, err := exec.Command("mkfs.ext4", "-q", image).CombinedOutput(); err != nil {
		lane.Missing(t, "mount", "cannot make a file system: "+string(out))
	}
	disk := mount(t, "-o", "loop", image)

	const jobs = 300
	entries := record(t, filepath.Join(dir, "in"), 0, jobs)
	address := freeAddress(t)
	server := start(t, "serve", filepath.Join(disk, "s"), address)
	server.await(t)
	fleet, err := jetstream.Connect(t.Context(), jetstream.Config{URL: "nats://" + address, AckWait: 2 * time.Second})
	require.NoError(t, err)
	defer fleet.Close()
	_, err = fleet.Submit(t.Context(), "b", input(entries), jetstream.SubmitOptions{})
	require.NoError(t, err)
	path := filepath.Join(dir, "journal.jsonl")
	collector := start(t, "collect", path, "nats://"+address, "b")
	collector.await(t)
	start(t, "work", filepath.Join(dir, "w"), "nats://"+address, "20").await(t)
	waitFor(t, func() bool { return countLines(path) > 50 })

	server.end()
	copied := filepath.Join(dir, "copy")
	out, err := exec.Command("cp", "--sparse=always", image, copied).CombinedOutput()
	require.NoError(t, err, string(out))
	collector.end()
	known := countLines(path)
	require.Less(t, known, jobs, "it was over before the power failed")

	after := mount(t, "-o", "loop", copied)
	start(t, "serve", filepath.Join(after, "s"), address).await(t)
	status, err := fleet.Status(t.Context(), "b")
	require.NoError(t, err)
	t.Logf("after the cut: %+v; the collector had %d", status, known)
	require.GreaterOrEqual(t, status.Done, known)
	require.GreaterOrEqual(t, status.Done+status.Waiting, jobs, "no acknowledged job is lost")

	report, err := fleet.Collect(t.Context(), "b", openJournal(t, path), jetstream.CollectOptions{})
	require.NoError(t, err)
	require.Equal(t, jobs, report.Done+report.Resumed)
	require.Equal(t, jobs, countLines(path))
}
