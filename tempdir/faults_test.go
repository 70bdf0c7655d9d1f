package tempdir_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// warnings is a log handler that remembers: what cleaning up cannot do is
// reported here, and by no error.
type warnings struct{ err error }

func (w *warnings) Enabled(context.Context, slog.Level) bool { return true }
func (w *warnings) WithAttrs([]slog.Attr) slog.Handler       { return w }
func (w *warnings) WithGroup(string) slog.Handler            { return w }
func (w *warnings) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			w.err = errors.Join(w.err, fmt.Errorf("%s: %w", r.Message, err))
		}
		return true
	})
	return nil
}

// use does everything that a root is for, and reports whatever went wrong.
func use(t *testing.T, files retry.FS, dir string) error {
	t.Helper()
	ctx := context.Background()
	src, dst := filepath.Join(dir, "in.wav"), filepath.Join(dir, "out.txt")
	require.NoError(t, os.WriteFile(src, []byte("sound"), 0o600))
	require.NoError(t, os.WriteFile(dst, []byte("old"), 0o600))
	var warned warnings
	err := func() error {
		root, err := tempdir.Open(ctx, filepath.Join(dir, "r"), tempdir.Options{FS: files, Logger: slog.New(&warned)})
		if err != nil {
			return err
		}
		if _, err := root.Cache(ctx, "models"); err != nil {
			return err
		}
		if _, err := root.Sweep(ctx); err != nil {
			return err
		}
		scope, err := root.NewScope(ctx, "job")
		if err != nil {
			return err
		}
		err = func() error {
			staged, err := scope.Stage(ctx, src)
			if err != nil {
				return err
			}
			require.Equal(t, sum([]byte("sound")), staged.SHA256)
			if _, err := scope.StageReader(ctx, strings.NewReader("upload"), "mp3"); err != nil {
				return err
			}
			return scope.Publish(ctx, filepath.Base(staged.Path), dst)
		}()
		if left := scope.Close(); len(left) > 0 {
			err = errors.Join(err, fmt.Errorf("left: %q", left))
		}
		return err
	}()

	b, readErr := os.ReadFile(src)
	require.NoError(t, readErr)
	require.Equal(t, "sound", string(b), "the source is only read")
	b, readErr = os.ReadFile(dst)
	require.NoError(t, readErr, "what was there before is never missing")
	require.Contains(t, []string{"old", "sound"}, string(b))
	if err == nil {
		require.Equal(t, "sound", string(b))
	}
	return errors.Join(err, warned.err)
}

func TestEveryOp(t *testing.T) {
	for name, err := range map[string]error{
		"disk full":         locktest.DiskFull,
		"sharing violation": locktest.SharingViolation,
	} {
		t.Run(name, func(t *testing.T) {
			// Files that were only read may fail to close: nothing can be lost.
			for _, kind := range []retry.Kind{
				retry.OpOpen, retry.OpCreate, retry.OpRead, retry.OpWrite, retry.OpSync, retry.OpSyncDir,
				retry.OpReplace, retry.OpRemove, retry.OpMkdir, retry.OpStat, retry.OpReadDir, retry.OpLock, retry.OpUnlock,
			} {
				locktest.EveryOp(t, locktest.Fault{On: kind, Err: err}, use)
			}
		})
	}
}

// After a power cut at any moment the root can be opened, swept and used, and
// a file under its own name is the old one or the new one.
func TestEveryCrash(t *testing.T) {
	body := func(t *testing.T, files retry.FS, dir string, ack func(string)) error {
		err := use(t, files, dir)
		ack("published")
		return err
	}
	locktest.EveryCrash(t, body, func(t *testing.T, dir string, acked []string) {
		b, err := os.ReadFile(filepath.Join(dir, "out.txt"))
		if err == nil {
			require.Contains(t, []string{"old", "sound"}, string(b))
		}
		if len(acked) > 0 {
			require.Equal(t, "sound", string(b))
		}
		unsynced := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
			if op.Kind == retry.OpSync || op.Kind == retry.OpSyncDir {
				return nil // no power is cut while this state is looked at
			}
			return next()
		}}
		require.NoError(t, use(t, unsynced, dir))
	})
}

// A scanner that opens every new file, and one that holds what is to be
// deleted: the job goes through, and what is held is left to the next sweep.
func TestUnderTheRulesOfWindows(t *testing.T) {
	sim := locktest.New(t)
	files := sim.FS()
	files.Policy.Budget = -1 // one try: nothing here is released in time
	root, err := tempdir.Open(t.Context(), filepath.Join(sim.Dir(), "r"), tempdir.Options{FS: files})
	require.NoError(t, err)
	scope, err := root.NewScope(t.Context(), "job")
	require.NoError(t, err)
	staged, err := scope.StageReader(t.Context(), strings.NewReader("sound"), "wav")
	require.NoError(t, err)
	release := sim.Hold(staged.Path, locktest.ShareRead)
	require.Equal(t, []string{staged.Path}, scope.Close())

	swept, err := root.Sweep(t.Context())
	require.Error(t, err, "it says why")
	require.Equal(t, []string{staged.Path}, swept.Left)
	release()
	swept, err = root.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{scope.Path()}, swept.Removed)
	require.NoDirExists(t, scope.Path())
}

// A job begins with a sweep; it must not wait for each file that somebody has.
func TestSweepIsNotHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var held bool
		files := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
			if held && op.Kind == retry.OpRemove && filepath.Base(op.Path) == "held" {
				return locktest.SharingViolation
			}
			return next()
		}}
		root, err := tempdir.Open(t.Context(), shortDir(t), tempdir.Options{FS: files})
		require.NoError(t, err)
		var want []string
		for range 8 {
			scope := newScope(t, root)
			require.NoError(t, os.WriteFile(scope.Path("held"), nil, 0o600))
			want = append(want, scope.Path("held"))
			held = true
			require.Equal(t, want[len(want)-1:], scope.Close())
			held = false
		}

		held = true
		start := time.Now()
		swept, err := root.Sweep(t.Context())
		require.LessOrEqual(t, time.Since(start), 2*time.Second)
		require.ElementsMatch(t, want, swept.Left)
		require.ErrorIs(t, err, retry.ErrLocked)
		require.Len(t, strings.Split(err.Error(), "\n"), 7, "how many, the first five, and that there are more: %v", err)
		held = false
		_, err = root.Sweep(t.Context())
		require.NoError(t, err)
	})
}
