package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/holdfast-go/holdfast/internal/lane"
)

// mount puts a fresh tmpfs on a folder.
func mount(t *testing.T, dir, options string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o700))
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		lane.Missing(t, "mount", "a tmpfs cannot be mounted here: "+err.Error())
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
}

func TestFullDisk(t *testing.T) {
	p := newPatient(t)
	small := filepath.Join(p.base, "small")
	mount(t, small, "size=1m,mode=0700")
	p.d.root = filepath.Join(small, "root")
	all, _, sick := p.examine()
	require.True(t, sick)
	f := find(t, all, "free space")
	require.Equal(t, problem, f.Status)
	require.Regexp(t, `^[01] MiB are free, 256 MiB are needed`, f.Text)
	require.Equal(t, ok, find(t, all, "synced folder").Status)
}

// Too little for comfort, but enough for a job.
func TestLittleSpace(t *testing.T) {
	p := newPatient(t)
	small := filepath.Join(p.base, "small")
	mount(t, small, "size=400m,mode=0700")
	p.d.root = filepath.Join(small, "root")
	all, _, sick := p.examine()
	require.False(t, sick)
	f := find(t, all, "free space")
	require.Equal(t, warning, f.Status)
	require.Regexp(t, `^(399|400) MiB are free, 2048 MiB are needed for long recordings`, f.Text)
}

func TestReadOnlyDisk(t *testing.T) {
	p := newPatient(t)
	dir := filepath.Join(p.base, "ro")
	mount(t, dir, "size=400m,mode=0700")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "root"), 0o700))
	require.NoError(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	p.d.root = filepath.Join(dir, "root")
	all, _, sick := p.examine()
	require.True(t, sick)
	f := find(t, all, "make a directory")
	require.Equal(t, problem, f.Status)
	require.Contains(t, f.Text, "read-only file system")
}
