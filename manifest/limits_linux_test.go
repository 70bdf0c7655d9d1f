package manifest_test

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/holdfast-go/holdfast/manifest"
)

// limitFileSize lets this process write 20,000 bytes into a file, the last
// record in part.
func limitFileSize() {
	signal.Ignore(syscall.SIGXFSZ)
	limit := unix.Rlimit{Cur: 20_000, Max: 20_000}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func TestFileSizeLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	w := startWriter(t, path, writerLimit+"=1")
	acked := w.acked(t, -1)
	require.Error(t, w.cmd.Wait())
	require.Greater(t, len(acked), 100)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.LessOrEqual(t, info.Size(), int64(20_000))
	j := open(t, path, manifest.Options{})
	for _, n := range acked {
		_, ok := j.Lookup(key(n))
		require.True(t, ok, "record %d was acknowledged", n)
	}
	require.Zero(t, j.Torn(), "half a line was taken back")
	require.Empty(t, j.Damaged())
}

// mountTmpfs gives a file system of a given size.
func mountTmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("holdfast-test", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("mounting a tmpfs needs root: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

func TestFullDisk(t *testing.T) {
	dir := mountTmpfs(t, "1m")
	ballast := filepath.Join(dir, "ballast")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 600_000), 0o600))
	path := filepath.Join(dir, "j")
	j := open(t, path, manifest.Options{})
	var acked []int
	full := 0
	for i := 0; full < 50; i++ {
		err := j.Append(t.Context(), key(i), result(i))
		if err == nil {
			acked = append(acked, i)
			continue
		}
		require.ErrorIs(t, err, unix.ENOSPC)
		full++
	}
	require.Greater(t, len(acked), 1000)
	require.Error(t, j.Publish(t.Context(), filepath.Join(dir, "out.json")))
	require.NoFileExists(t, filepath.Join(dir, "out.json"))
	leftovers, err := filepath.Glob(filepath.Join(dir, ".holdfast-*"))
	require.NoError(t, err)
	require.Empty(t, leftovers)

	require.NoError(t, os.Remove(ballast))
	require.NoError(t, j.Append(t.Context(), "there is space again", result(1)))
	require.NoError(t, j.Close())
	j = open(t, path, manifest.Options{})
	require.Zero(t, j.Torn())
	require.Empty(t, j.Damaged())
	require.Len(t, contents(j), len(acked)+1)
	for _, n := range acked {
		_, ok := j.Lookup(key(n))
		require.True(t, ok, "record %d was acknowledged", n)
	}
}

func TestReadOnlyDisk(t *testing.T) {
	dir := mountTmpfs(t, "1m")
	path := filepath.Join(dir, "j")
	j := open(t, path, manifest.Options{})
	require.NoError(t, j.Append(t.Context(), "k", result(1)))
	require.NoError(t, j.Close())
	require.NoError(t, unix.Mount("holdfast-test", dir, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, "size=1m"))

	_, err := manifest.OpenJournal(t.Context(), path, manifest.Options{})
	require.ErrorIs(t, err, unix.EROFS)
	entries, err := manifest.Load(t.Context(), path, manifest.Options{})
	require.NoError(t, err)
	require.Equal(t, "text 1", entries[0].PredText)
	for r, err := range manifest.Follow(t.Context(), path, manifest.Options{}) {
		require.NoError(t, err)
		require.Equal(t, "k", r.Key)
		break
	}
}

func TestNoJournalInAPipeOrDevice(t *testing.T) {
	for name, mode := range map[string]uint32{"pipe": unix.S_IFIFO, "null": unix.S_IFCHR} {
		path := filepath.Join(t.TempDir(), name)
		if err := unix.Mknod(path, mode|0o600, int(unix.Mkdev(1, 3))); err != nil {
			t.Logf("%s: making one needs root: %v", name, err)
			continue
		}
		before, err := os.Lstat(path)
		require.NoError(t, err)
		_, err = manifest.OpenJournal(t.Context(), path, manifest.Options{})
		require.ErrorContains(t, err, "is not a journal")
		after, err := os.Lstat(path)
		require.NoError(t, err)
		require.True(t, os.SameFile(before, after), "it was replaced by a file")
	}
}
