package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// A sync that failed is never tried again, whatever the policy says: the next one can lie.
func TestSyncIsNeverRetried(t *testing.T) {
	syncs := 0
	s := retry.FS{
		Policy: retry.Policy{Classify: func(retry.Op, error) retry.Class { return retry.Transient }},
		Intercept: func(op *retry.Op, next func() error) error {
			if op.Kind == retry.OpSync {
				syncs++
				return sharingViolation
			}
			return next()
		},
	}
	f, err := s.Create(t.Context(), filepath.Join(locktest.TempDir(t), "f"))
	require.NoError(t, err)
	defer f.Close()
	require.Error(t, f.Sync())
	require.Equal(t, 1, syncs)
	require.ErrorContains(t, f.Sync(), "an earlier sync failed")
	_, err = f.Write([]byte("x"))
	require.ErrorContains(t, err, "an earlier sync failed")
	require.Equal(t, 1, syncs)

	require.Error(t, s.WriteFile(t.Context(), filepath.Join(locktest.TempDir(t), "g"), nil))
	require.Equal(t, 2, syncs)
}

func TestRemoveAllGoesOnAndNamesTheLeftovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, ctx := locktest.TempDir(t), t.Context()
		held := make(map[string]bool)
		s := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
			if op.Kind == retry.OpRemove && held[filepath.Base(op.Path)] {
				return sharingViolation
			}
			return next()
		}}
		s.Policy.Holders = func(_ context.Context, paths ...string) ([]retry.Holder, error) {
			require.Equal(t, "f05", filepath.Base(paths[0]))
			return []retry.Holder{{PID: 7, Name: "scanner.exe"}}, nil
		}
		tree := filepath.Join(dir, "tree")
		require.NoError(t, s.MkdirAll(ctx, tree))
		for i := range 40 {
			name := fmt.Sprintf("f%02d", i)
			require.NoError(t, s.WriteFile(ctx, filepath.Join(tree, name), nil))
			held[name] = i%2 == 1 && i >= 5
		}
		start := time.Now()
		err := s.RemoveAll(ctx, tree)
		require.Equal(t, 10*time.Second, time.Since(start), "one budget for the whole tree")
		require.ErrorIs(t, err, retry.ErrLocked)
		left, ok := errors.AsType[*retry.LeftoverError](err)
		require.True(t, ok)
		require.Equal(t, tree, left.Root)
		require.Len(t, left.Paths, 16)
		require.Equal(t, 2, left.More)
		require.Contains(t, err.Error(), "scanner.exe (pid 7)")
		require.NotContains(t, err.Error(), "\n")
		t.Log(err)
		entries, _ := os.ReadDir(tree)
		require.Len(t, entries, 18, "all that could go has gone")

		var once sync.Once
		s.Policy.Observe = func(e retry.Event) {
			if e.Waited > time.Second {
				once.Do(func() { clear(held) })
			}
		}
		require.NoError(t, s.RemoveAll(ctx, tree))
	})
}

func TestErrorIsOneReadableLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := locktest.TempDir(t)
		name := filepath.Join(dir, "manifest.json")
		require.NoError(t, os.WriteFile(name, nil, 0o600))
		s := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
			if op.Kind == retry.OpReplace {
				return accessDenied
			}
			return next()
		}}
		for _, tt := range []struct {
			holders []retry.Holder
			want    string
		}{
			{nil, "holder unknown"},
			{[]retry.Holder{{PID: 12, Name: "MsMpEng.exe"}, {PID: 13, Name: "OneDrive.exe"}}, "held by MsMpEng.exe (pid 12), OneDrive.exe (pid 13)"},
			{[]retry.Holder{{PID: 14, Name: "app.exe", Self: true}}, "held by this process itself (app.exe, pid 14)"},
		} {
			s.Policy.Holders = func(context.Context, ...string) ([]retry.Holder, error) { return tt.holders, nil }
			err := s.WriteFile(t.Context(), name, []byte("{}"))
			require.ErrorIs(t, err, retry.ErrLocked)
			e, ok := errors.AsType[*retry.Error](err)
			require.True(t, ok)
			require.Equal(t, 10*time.Second, e.Waited)
			text := err.Error()
			t.Log(text)
			for _, part := range []string{"replace", name, "access is denied (Windows error 5)", fmt.Sprintf("tried %d times in 10s", e.Attempts), tt.want} {
				require.Contains(t, text, part)
			}
			require.NotContains(t, text, "\n")
		}
		entries, _ := os.ReadDir(dir)
		require.Len(t, entries, 1)
	})
}

// Of what ERROR_ACCESS_DENIED can mean only a held file is worth the full budget and is called locked.
func TestAccessDenied(t *testing.T) {
	open := func(ctx context.Context, s retry.FS, dir string) error {
		_, err := s.Open(ctx, filepath.Join(dir, "file"))
		return err
	}
	create := func(ctx context.Context, s retry.FS, dir string) error {
		_, err := s.Create(ctx, filepath.Join(dir, "new"))
		return err
	}
	write := func(ctx context.Context, s retry.FS, dir string) error {
		_, err := s.OpenAppend(ctx, filepath.Join(dir, "sub"))
		return err
	}
	rename := func(ctx context.Context, s retry.FS, dir string) error {
		return s.Rename(ctx, filepath.Join(dir, "sub"), filepath.Join(dir, "new"))
	}
	for _, tt := range []struct {
		name  string
		do    func(ctx context.Context, s retry.FS, dir string) error
		probe error
		want  time.Duration
	}{
		{"held", open, sharingViolation, 10 * time.Second},
		{"not permitted", open, accessDenied, 2 * time.Second},
		{"in a folder that refuses", create, nil, 2 * time.Second},
		{"a folder, pinned or not permitted", rename, nil, 2 * time.Second},
		{"a folder in the place of a file", write, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := locktest.TempDir(t)
				require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
				require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
				s := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
					switch op.Kind {
					case retry.OpStat:
						return next()
					case retry.OpProbe:
						return tt.probe
					}
					return accessDenied
				}}
				start := time.Now()
				err := tt.do(t.Context(), s, dir)
				require.ErrorIs(t, err, accessDenied)
				require.Equal(t, tt.want, time.Since(start))
				require.Equal(t, tt.want == 10*time.Second, errors.Is(err, retry.ErrLocked))
			})
		})
	}
}

// Whatever is said of the closing, no handle stays.
func TestCloseThatFailsCloses(t *testing.T) {
	s := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpClose || op.Kind == retry.OpUnlock {
			return retry.Errno(112)
		}
		return next()
	}}
	name := filepath.Join(locktest.TempDir(t), "f")
	f, err := s.Create(t.Context(), name)
	require.NoError(t, err)
	below := f.OS()
	require.ErrorIs(t, f.Close(), retry.Errno(112))
	require.ErrorIs(t, below.Close(), os.ErrClosed)

	for range 2 {
		unlock, ok, err := s.TryLock(t.Context(), name)
		require.NoError(t, err)
		require.True(t, ok)
		require.ErrorIs(t, unlock(), retry.Errno(112))
	}
}

func TestHoldersFindsThisProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can be asked without a real Windows")
	}
	name := filepath.Join(locktest.TempDir(t), "f")
	f, err := retry.FS{}.Create(t.Context(), name)
	require.NoError(t, err)
	defer f.Close()
	holders, err := retry.Holders(t.Context(), name)
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(holders, func(h retry.Holder) bool { return h.Self && h.PID == os.Getpid() }))
}

// A copy can fail at its other end; the error says where.
func TestCopyNamesTheFileThatFailed(t *testing.T) {
	f, err := retry.FS{}.Create(t.Context(), filepath.Join(locktest.TempDir(t), "copy"))
	require.NoError(t, err)
	defer f.Close()
	_, err = io.Copy(f, iotest.ErrReader(&fs.PathError{Op: "read", Path: "talk.wav", Err: errors.New("input/output error")}))
	require.ErrorContains(t, err, f.Name())
	require.ErrorContains(t, err, "read talk.wav: input/output error")
}

func TestErrorOfANameWithALineBreakIsOneLine(t *testing.T) {
	dir := locktest.TempDir(t)
	refused := retry.FS{Intercept: func(*retry.Op, func() error) error { return retry.Errno(112) }}
	name := filepath.Join(dir, "two\nlines")
	for _, err := range []error{
		refused.Remove(t.Context(), name),
		refused.Rename(t.Context(), name, name+"2"),
		refused.Replace(t.Context(), name, name+"2"),
		refused.RemoveAll(t.Context(), name),
	} {
		require.NotContains(t, err.Error(), "\n")
		require.Contains(t, err.Error(), `two\nlines`)
	}
}
