package retry_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

func TestWriteFile(t *testing.T) {
	dir, ctx := locktest.TempDir(t), t.Context()
	var s retry.FS
	name := filepath.Join(dir, "f.json")
	require.NoError(t, s.WriteFile(ctx, name, []byte("one")))
	require.NoError(t, s.WriteFile(ctx, name, []byte("two")))
	data, err := s.ReadFile(ctx, name)
	require.NoError(t, err)
	require.Equal(t, "two", string(data))
	entries, err := s.ReadDir(ctx, dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file stays")
	require.ErrorIs(t, s.WriteFile(ctx, filepath.Join(dir, "no", "f"), nil), fs.ErrNotExist)
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows gives the folder's permissions to what is in it")
	}
	dir, ctx := locktest.TempDir(t), t.Context()
	mode := func(elem ...string) fs.FileMode {
		info, err := os.Stat(filepath.Join(append([]string{dir}, elem...)...))
		require.NoError(t, err)
		return info.Mode().Perm()
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "umask"), nil, 0o666))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "umaskdir"), 0o777))
	for _, tt := range []struct {
		fs        retry.FS
		file, dir fs.FileMode
	}{
		{retry.FS{}, 0o600, 0o700},
		{retry.FS{Public: true}, mode("umask"), mode("umaskdir")},
	} {
		sub := fmt.Sprint(tt.fs.Public)
		require.NoError(t, tt.fs.MkdirAll(ctx, filepath.Join(dir, sub, "b")))
		require.NoError(t, tt.fs.WriteFile(ctx, filepath.Join(dir, sub, "whole"), nil))
		f, err := tt.fs.OpenAppend(ctx, filepath.Join(dir, sub, "append"))
		require.NoError(t, err)
		require.NoError(t, f.Close())
		require.Equal(t, tt.dir, mode(sub))
		require.Equal(t, tt.dir, mode(sub, "b"))
		require.Equal(t, tt.file, mode(sub, "whole"))
		require.Equal(t, tt.file, mode(sub, "append"))
	}
}

func TestPendingWithoutCommitNeverWas(t *testing.T) {
	dir, ctx := locktest.TempDir(t), t.Context()
	var s retry.FS
	p, err := s.NewPending(ctx, filepath.Join(dir, "f"))
	require.NoError(t, err)
	_, err = io.WriteString(p, "half")
	require.NoError(t, err)
	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
	require.ErrorIs(t, p.Commit(ctx), os.ErrClosed)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestAppendFile(t *testing.T) {
	dir, ctx := locktest.TempDir(t), t.Context()
	var s retry.FS
	name := filepath.Join(dir, "journal")
	for i := range 2 {
		f, err := s.OpenAppend(ctx, name)
		require.NoError(t, err)
		head, err := io.ReadAll(f)
		require.NoError(t, err)
		require.Equal(t, strings.Repeat("line\n", i), string(head))
		_, err = f.Write([]byte("line\ntorn"))
		require.NoError(t, err)
		require.NoError(t, f.Truncate(int64(5*(i+1))))
		buf := make([]byte, 5)
		n, err := f.ReadAt(buf, int64(5*i))
		require.NoError(t, err)
		require.Equal(t, "line\n", string(buf[:n]))
		_, err = f.ReadAt(make([]byte, 6), int64(5*i))
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, f.Sync())
		require.NoError(t, f.Close())
		require.NoError(t, f.Close())
	}
	data, err := s.ReadFile(ctx, name)
	require.NoError(t, err)
	require.Equal(t, "line\nline\n", string(data))
}

// A copy goes to the end as a write does, and neither moves where the next read begins.
func TestAppendByCopy(t *testing.T) {
	name := filepath.Join(locktest.TempDir(t), "f")
	require.NoError(t, os.WriteFile(name, []byte("a"), 0o600))
	f, err := retry.FS{}.OpenAppend(t.Context(), name)
	require.NoError(t, err)
	defer f.Close()
	for _, more := range []string{"b", "c"} {
		_, err = f.ReadFrom(strings.NewReader(more))
		require.NoError(t, err)
		_, err = f.Write([]byte(more))
		require.NoError(t, err)
	}
	all, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "abbcc", string(all))
}

func TestRenameRefusesAndReplaceDoesNot(t *testing.T) {
	dir, ctx := locktest.TempDir(t), t.Context()
	var s retry.FS
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	require.NoError(t, s.WriteFile(ctx, a, []byte("a")))
	require.NoError(t, s.WriteFile(ctx, b, []byte("b")))
	require.ErrorIs(t, s.Rename(ctx, a, b), fs.ErrExist)
	require.ErrorIs(t, s.Link(ctx, a, b), fs.ErrExist)
	require.NoError(t, s.Replace(ctx, a, b))
	require.NoError(t, s.Link(ctx, b, a))
	require.NoError(t, s.Rename(ctx, b, filepath.Join(dir, "c")))
	data, err := s.ReadFile(ctx, a)
	require.NoError(t, err)
	require.Equal(t, "a", string(data))
	require.ErrorIs(t, s.Rename(ctx, b, a), fs.ErrNotExist)
}

// Where a hard link cannot be, the second name is that of a copy.
func TestLinkCopiesWhereItMust(t *testing.T) {
	for _, impossible := range []error{syscall.EXDEV, syscall.EPERM, retry.Errno(17), retry.Errno(1142)} {
		dir, ctx := locktest.TempDir(t), t.Context()
		s := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
			if op.Kind == retry.OpLink {
				return impossible
			}
			return next()
		}}
		from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
		require.NoError(t, s.WriteFile(ctx, from, []byte("content")))
		require.NoError(t, s.Link(ctx, from, to))
		require.NoError(t, os.WriteFile(from, []byte("changed"), 0o600))
		require.ErrorIs(t, s.Link(ctx, from, to), fs.ErrExist)
		data, err := s.ReadFile(ctx, to)
		require.NoError(t, err)
		require.Equal(t, "content", string(data))
		entries, err := s.ReadDir(ctx, dir)
		require.NoError(t, err)
		require.Len(t, entries, 2, "no temporary file stays")
		require.ErrorIs(t, s.Link(ctx, from+"3", to), fs.ErrNotExist)
	}
}

func TestRemoveAll(t *testing.T) {
	dir, ctx := locktest.TempDir(t), t.Context()
	var s retry.FS
	outside := filepath.Join(dir, "outside")
	require.NoError(t, s.WriteFile(ctx, outside, []byte("stays")))
	tree := filepath.Join(dir, "tree")
	require.NoError(t, s.MkdirAll(ctx, filepath.Join(tree, "a", "b")))
	for _, name := range []string{"f", filepath.Join("a", "f"), filepath.Join("a", "b", "f")} {
		require.NoError(t, s.WriteFile(ctx, filepath.Join(tree, name), nil))
		require.NoError(t, os.Chmod(filepath.Join(tree, name), 0o400))
	}
	if err := os.Symlink(outside, filepath.Join(tree, "link")); err != nil {
		t.Log("without a symbolic link:", err)
	}
	require.NoError(t, s.RemoveAll(ctx, tree))
	require.NoError(t, s.RemoveAll(ctx, tree))
	require.FileExists(t, outside)
}

func TestTryLock(t *testing.T) {
	ctx := t.Context()
	var s retry.FS
	name := filepath.Join(locktest.TempDir(t), "lock")
	unlock, ok, err := s.TryLock(ctx, name)
	require.NoError(t, err)
	require.True(t, ok)
	_, ok, err = s.TryLock(ctx, name)
	require.NoError(t, err)
	require.False(t, ok)
	_, err = s.ReadFile(ctx, name)
	require.NoError(t, err, "what a locked file says can be read")
	require.NoError(t, unlock())
	require.NoError(t, unlock())
	unlock, ok, err = s.TryLock(ctx, name)
	require.NoError(t, err)
	require.True(t, ok)
	require.NoError(t, unlock())
}

// Whoever removes a lock file while he has the lock must not let two others in, one on the old and one on the new
// file.
func TestLockOfARemovedFileIsNone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("under Wine the name of an open file stays; what POSIX deletion does to a locked one needs a real NTFS")
	}
	name := filepath.Join(locktest.TempDir(t), "lock")
	var s retry.FS
	var inside, taken atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				unlock, ok, err := s.TryLock(t.Context(), name)
				if err != nil || !ok {
					continue
				}
				taken.Add(1)
				if inside.Add(1) != 1 {
					t.Error("two have the lock")
				}
				runtime.Gosched()
				inside.Add(-1)
				_ = os.Remove(name)
				_ = unlock()
			}
		})
	}
	all.Wait()
	require.NotZero(t, taken.Load())
}
