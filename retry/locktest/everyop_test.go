package locktest_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// bodies are the operations of the library that have to bear every fault and every crash. Each puts the old state
// there by itself, so that the set-up too is failed.
func writeFile(t *testing.T, files retry.FS, dir string) error {
	name := filepath.Join(dir, "m.json")
	require.NoError(t, os.WriteFile(name, []byte("old"), 0o600))
	err := files.WriteFile(t.Context(), name, []byte("the new content"))
	got := readString(t, name)
	require.Contains(t, []string{"old", "the new content"}, got, "old or new, never torn or missing")
	if err == nil {
		require.Equal(t, "the new content", got)
	}
	requireNoTemp(t, dir)
	return err
}

// A link is replaced; what it leads to is looked at, and stays.
func writeFileOverLink(t *testing.T, files retry.FS, dir string) error {
	name, other := filepath.Join(dir, "m.json"), filepath.Join(dir, "other")
	require.NoError(t, os.WriteFile(other, []byte("old"), 0o600))
	require.NoError(t, os.Symlink("other", name))
	err := files.WriteFile(t.Context(), name, []byte("the new content"))
	require.Equal(t, "old", readString(t, other))
	got := readString(t, name)
	require.Contains(t, []string{"old", "the new content"}, got)
	if err == nil {
		require.Equal(t, "the new content", got)
	}
	requireNoTemp(t, dir)
	return err
}

// What is no file stays, whatever happens while it is looked at.
func refuse(t *testing.T, files retry.FS, dir string) error {
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	require.NoError(t, os.WriteFile(from, []byte("new"), 0o600))
	require.NoError(t, os.Mkdir(to, 0o700))
	var failures []error
	for _, err := range []error{
		files.WriteFile(t.Context(), to, []byte("new")),
		files.Replace(t.Context(), from, to),
	} {
		require.Error(t, err)
		if !strings.Contains(err.Error(), "only a regular file is replaced") {
			failures = append(failures, err)
		}
	}
	require.DirExists(t, to)
	require.FileExists(t, from)
	requireNoTemp(t, dir)
	return errors.Join(failures...)
}

func replace(t *testing.T, files retry.FS, dir string) error {
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	require.NoError(t, os.WriteFile(from, []byte("new"), 0o600))
	require.NoError(t, os.WriteFile(to, []byte("old"), 0o600))
	err := files.Replace(t.Context(), from, to)
	got := readString(t, to)
	require.Contains(t, []string{"old", "new"}, got)
	if got == "old" {
		require.Equal(t, "new", readString(t, from), "what was not renamed is still there")
	}
	if err == nil {
		require.Equal(t, "new", got)
	}
	return err
}

func removeAll(t *testing.T, files retry.FS, dir string) error {
	tree := filepath.Join(dir, "tree")
	require.NoError(t, os.MkdirAll(filepath.Join(tree, "a", "b"), 0o700))
	for _, name := range []string{"1", "a/2", "a/b/3", "4"} {
		require.NoError(t, os.WriteFile(filepath.Join(tree, name), nil, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "beside"), nil, 0o600))
	err := files.RemoveAll(t.Context(), tree)
	require.FileExists(t, filepath.Join(dir, "beside"))
	_, there := os.Lstat(tree)
	if err == nil {
		require.ErrorIs(t, there, fs.ErrNotExist)
		return nil
	}
	left, ok := errors.AsType[*retry.LeftoverError](err)
	require.True(t, ok, "%v", err)
	require.NotEmpty(t, left.Paths)
	return err
}

func tryLock(t *testing.T, files retry.FS, dir string) error {
	name := filepath.Join(dir, "lock")
	unlock, ok, err := files.TryLock(t.Context(), name)
	if err != nil {
		require.False(t, ok)
		again, ok, err := retry.FS{}.TryLock(t.Context(), name)
		require.NoError(t, err)
		require.True(t, ok, "a lock that was reported as failed is free")
		require.NoError(t, again())
	}
	if err != nil {
		return err
	}
	require.True(t, ok)
	_, second, err := retry.FS{}.TryLock(t.Context(), name)
	require.NoError(t, err)
	require.False(t, second)
	return unlock()
}

func readString(t *testing.T, name string) string {
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(data)
}

func requireNoTemp(t *testing.T, dir string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		require.False(t, strings.HasSuffix(e.Name(), ".tmp"), "left over: %s", e.Name())
	}
}

func TestEveryOp(t *testing.T) {
	for _, fault := range []struct {
		name string
		err  error
	}{
		{"disk full", locktest.DiskFull},
		{"held", locktest.SharingViolation},
		{"denied", locktest.AccessDenied},
	} {
		t.Run(fault.name, func(t *testing.T) {
			for name, body := range map[string]func(*testing.T, retry.FS, string) error{
				"WriteFile": writeFile, "Replace": replace, "refuse": refuse, "RemoveAll": removeAll, "TryLock": tryLock,
			} {
				t.Run(name, func(t *testing.T) {
					locktest.EveryOp(t, locktest.Fault{Err: fault.err}, body)
				})
			}
		})
	}
}

func TestEveryOpOverALink(t *testing.T) {
	dir := locktest.TempDir(t)
	link := filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	_ = os.Symlink("file", link)
	if _, err := os.ReadFile(link); err != nil {
		t.Skip("no symbolic links, or none that lead anywhere, as under Wine: ", err)
	}
	locktest.EveryOp(t, locktest.Fault{Err: locktest.DiskFull}, writeFileOverLink)
	locktest.EveryOp(t, locktest.Fault{Err: locktest.SharingViolation}, writeFileOverLink)
}

// A lock that passes by itself is no failure, at whatever operation it strikes.
func TestEveryOpOnceHeldSucceeds(t *testing.T) {
	for _, body := range []func(*testing.T, retry.FS, string) error{writeFile, replace, removeAll, tryLock} {
		n := 0
		for {
			n++
			var struck *retry.Op
			count := 0
			files := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
				if count++; count == n {
					struck = op
					return locktest.SharingViolation
				}
				return next()
			}}
			err := body(t, files, locktest.TempDir(t))
			if struck == nil {
				break
			}
			switch struck.Kind {
			case retry.OpSync, retry.OpSyncDir, retry.OpClose, retry.OpUnlock:
				require.Error(t, err, "%v is not tried again", struck)
			default:
				require.NoError(t, err, "%v", struck)
			}
		}
		require.Greater(t, n, 1)
	}
}

func TestEveryCrash(t *testing.T) {
	ctx := context.Background()
	t.Run("WriteFile", func(t *testing.T) {
		locktest.EveryCrash(t, func(t *testing.T, files retry.FS, dir string, ack func(string)) error {
			for _, content := range []string{"one", "the second", "3"} {
				if err := files.WriteFile(ctx, filepath.Join(dir, "m.json"), []byte(content)); err != nil {
					return err
				}
				ack(content)
			}
			return nil
		}, func(t *testing.T, dir string, acked []string) {
			requireLatest(t, filepath.Join(dir, "m.json"), acked, []string{"one", "the second", "3"})
		})
	})
	t.Run("Replace", func(t *testing.T) {
		locktest.EveryCrash(t, func(t *testing.T, files retry.FS, dir string, ack func(string)) error {
			if err := files.MkdirAll(ctx, filepath.Join(dir, "in")); err != nil {
				return err
			}
			for _, content := range []string{"one", "two"} {
				from := filepath.Join(dir, "in", content)
				if err := files.WriteFile(ctx, from, []byte(content)); err != nil {
					return err
				}
				if err := files.Replace(ctx, from, filepath.Join(dir, "to")); err != nil {
					return err
				}
				ack(content)
			}
			return nil
		}, func(t *testing.T, dir string, acked []string) {
			requireLatest(t, filepath.Join(dir, "to"), acked, []string{"one", "two"})
		})
	})
	t.Run("RemoveAll", func(t *testing.T) {
		locktest.EveryCrash(t, func(t *testing.T, files retry.FS, dir string, ack func(string)) error {
			if err := files.MkdirAll(ctx, filepath.Join(dir, "tree", "a")); err != nil {
				return err
			}
			for _, name := range []string{"beside", "tree/1", "tree/a/2"} {
				if err := files.WriteFile(ctx, filepath.Join(dir, name), []byte(name)); err != nil {
					return err
				}
			}
			ack("written")
			return files.RemoveAll(ctx, filepath.Join(dir, "tree"))
		}, func(t *testing.T, dir string, acked []string) {
			if len(acked) > 0 {
				require.Equal(t, "beside", readString(t, filepath.Join(dir, "beside")))
			}
			require.NoError(t, retry.FS{}.RemoveAll(ctx, filepath.Join(dir, "tree")), "what came back goes the next time")
		})
	})
	t.Run("TryLock", func(t *testing.T) {
		locktest.EveryCrash(t, func(t *testing.T, files retry.FS, dir string, ack func(string)) error {
			unlock, _, err := files.TryLock(ctx, filepath.Join(dir, "lock"))
			if err != nil {
				return err
			}
			ack("locked")
			return errors.Join(files.WriteFile(ctx, filepath.Join(dir, "data"), []byte("data")), unlock())
		}, func(t *testing.T, dir string, _ []string) {
			unlock, ok, err := retry.FS{}.TryLock(ctx, filepath.Join(dir, "lock"))
			require.NoError(t, err)
			require.True(t, ok, "nobody has the lock after a crash")
			require.NoError(t, unlock())
		})
	})
	t.Run("MkdirAll", func(t *testing.T) {
		locktest.EveryCrash(t, func(t *testing.T, files retry.FS, dir string, ack func(string)) error {
			for _, name := range []string{"a", "a/b/c", "d/e"} {
				if err := files.MkdirAll(ctx, filepath.Join(dir, name)); err != nil {
					return err
				}
				ack(name)
			}
			return nil
		}, func(t *testing.T, dir string, acked []string) {
			for _, name := range acked {
				require.DirExists(t, filepath.Join(dir, name))
			}
		})
	})
	t.Run("Link and Rename", func(t *testing.T) {
		locktest.EveryCrash(t, func(t *testing.T, files retry.FS, dir string, ack func(string)) error {
			at := func(name string) string { return filepath.Join(dir, name) }
			err := errors.Join(files.WriteFile(ctx, at("a"), []byte("content")), files.Link(ctx, at("a"), at("b")))
			if err == nil {
				ack("b")
				err = files.Rename(ctx, at("a"), at("c"))
			}
			if err == nil {
				ack("c")
			}
			return err
		}, func(t *testing.T, dir string, acked []string) {
			for _, name := range acked {
				require.Equal(t, "content", readString(t, filepath.Join(dir, name)))
			}
		})
	})
	t.Run("append", func(t *testing.T) {
		locktest.EveryCrash(t, func(t *testing.T, files retry.FS, dir string, ack func(string)) error {
			f, err := files.OpenAppend(ctx, filepath.Join(dir, "journal"))
			if err != nil {
				return err
			}
			for _, line := range []string{"first\n", "second\n"} {
				if _, err := f.Write([]byte(line)); err != nil {
					return err
				}
				if err := f.Sync(); err != nil {
					return err
				}
				ack(line)
			}
			return f.Close()
		}, func(t *testing.T, dir string, acked []string) {
			data, err := os.ReadFile(filepath.Join(dir, "journal"))
			if err != nil {
				require.Empty(t, acked)
			}
			require.True(t, strings.HasPrefix(string(data), strings.Join(acked, "")), "%q", data)
		})
	})
}

// requireLatest wants the last acknowledged content or a whole later one.
func requireLatest(t *testing.T, name string, acked, all []string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if len(acked) == 0 && errors.Is(err, fs.ErrNotExist) {
		return
	}
	require.NoError(t, err, "acknowledged %q", acked)
	require.Contains(t, all[max(0, len(acked)-1):], string(data), "acknowledged %q", acked)
}
