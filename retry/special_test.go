package retry_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// refusesToReplace wants every way to put a file under name refused before anything is written.
func refusesToReplace(t *testing.T, name, says string) {
	t.Helper()
	dir, ctx := filepath.Dir(name), t.Context()
	from := filepath.Join(locktest.TempDir(t), "from")
	require.NoError(t, os.WriteFile(from, []byte("from"), 0o600))
	before, err := os.Lstat(name)
	require.NoError(t, err)
	names, err := os.ReadDir(dir)
	require.NoError(t, err)

	var changes []retry.Op
	s := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind != retry.OpStat {
			changes = append(changes, *op)
		}
		return next()
	}}
	p, err := s.NewPending(ctx, name)
	require.NoError(t, p.Close())
	require.EqualError(t, err, "create "+name+": "+says+" is there, and only a regular file is replaced; choose another name")
	require.Error(t, s.WriteFile(ctx, name, []byte("new")))
	err = s.Replace(ctx, from, name)
	require.EqualError(t, err, "replace "+from+" -> "+name+": "+says+" is there, and only a regular file is replaced; choose another name")
	failed, ok := err.(*retry.Error)
	require.True(t, ok)
	require.Equal(t, retry.Permanent, failed.Class)
	require.Equal(t, name, failed.Op.To)

	require.Empty(t, changes)
	require.FileExists(t, from)
	after, err := os.Lstat(name)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after))
	require.Equal(t, before.Mode(), after.Mode())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, len(names))
}

func TestNoDirectoryIsReplaced(t *testing.T) {
	dir := filepath.Join(locktest.TempDir(t), "dir")
	require.NoError(t, os.Mkdir(dir, 0o700))
	refusesToReplace(t, dir, "a directory")
}

// Nothing is committed here: where the device is not refused it stays nevertheless.
func TestNoDeviceIsReplaced(t *testing.T) {
	p, err := retry.FS{}.NewPending(t.Context(), os.DevNull)
	require.NoError(t, p.Close())
	require.ErrorContains(t, err, "create "+os.DevNull+": a device is there")
}

// A link is replaced by the file, not followed, as long as it leads to a file or to nothing.
func TestLinksToFilesAreReplaced(t *testing.T) {
	dir, ctx := locktest.TempDir(t), t.Context()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte("old"), 0o600))
	for _, to := range []string{"file", "nothing"} {
		link := filepath.Join(dir, "to "+to)
		if err := os.Symlink(to, link); err != nil {
			t.Skip("without a symbolic link: ", err)
		}
		require.NoError(t, retry.FS{}.WriteFile(ctx, link, []byte("new")))
		info, err := os.Lstat(link)
		require.NoError(t, err)
		require.True(t, info.Mode().IsRegular())
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "old", string(data))
	require.NoFileExists(t, filepath.Join(dir, "nothing"))
}

// A target that nobody can look at may be a device.
func TestWhatCannotBeSeenIsNotReplaced(t *testing.T) {
	name := filepath.Join(locktest.TempDir(t), "f")
	s := locktest.Inject(t, retry.FS{}, locktest.Fault{On: retry.OpStat, Match: "f", Err: fs.ErrPermission})
	err := s.WriteFile(t.Context(), name, nil)
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, "stat "+name)
	require.NoFileExists(t, name)
}
