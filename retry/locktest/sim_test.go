package locktest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// once makes a single try.
func once(files retry.FS) retry.FS {
	files.Policy.Budget = -1
	return files
}

// code is the Windows code of an error, 0 for none.
func code(t *testing.T, err error) retry.Errno {
	t.Helper()
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[retry.Errno](err); ok {
		return e
	}
	return systemCode(t, err)
}

func TestSaveSurvivesAHolder(t *testing.T) {
	for _, share := range []locktest.Share{locktest.ShareNone, locktest.ShareRead, locktest.ShareGo, locktest.ShareAll} {
		for _, hold := range []time.Duration{5 * time.Millisecond, 500 * time.Millisecond, 4 * time.Second, 9 * time.Second} {
			t.Run(fmt.Sprint(share, hold), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					sim := locktest.New(t)
					name := filepath.Join(sim.Dir(), "manifest.json")
					require.NoError(t, os.WriteFile(name, []byte("old"), 0o600))
					require.True(t, sim.HoldFor("manifest.json", share, hold))
					start := time.Now()
					require.NoError(t, sim.FS().WriteFile(t.Context(), name, []byte("new")))
					late := time.Since(start) - hold
					require.GreaterOrEqual(t, late, time.Duration(0))
					require.LessOrEqual(t, late, 125*time.Millisecond)
					require.Equal(t, "new", readString(t, name))
				})
			})
		}
	}
}

func TestGiveUpNamesTheHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := locktest.New(t)
		name := filepath.Join(sim.Dir(), "manifest.json")
		require.NoError(t, os.WriteFile(name, []byte("old"), 0o600))
		release := sim.Hold(name, locktest.ShareRead)
		err := sim.FS().WriteFile(t.Context(), name, []byte("new"))
		require.ErrorIs(t, err, retry.ErrLocked)
		require.ErrorContains(t, err, "held by scanner.exe (pid 4242)")
		t.Log(err)
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = sim.FS().WriteFile(soon, name, []byte("new"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "held by scanner.exe (pid 4242)")
		require.NotContains(t, err.Error(), "this process", "our own handle on the temporary file is no hindrance")
		release()

		own, err := sim.FS().Open(t.Context(), name)
		require.NoError(t, err)
		err = sim.FS().WriteFile(t.Context(), name, []byte("new"))
		require.ErrorContains(t, err, "held by this process itself")
		require.NoError(t, own.Close())
		require.NoError(t, sim.FS().WriteFile(t.Context(), name, []byte("new")))
	})
}

// What will not pass fails at once, so that nobody waits for it.
func TestPermanentDenialsFailAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := locktest.New(t)
		ctx, files := t.Context(), sim.FS()
		dir, readOnly, from := filepath.Join(sim.Dir(), "dir"), filepath.Join(sim.Dir(), "ro"), filepath.Join(sim.Dir(), "from")
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.WriteFile(readOnly, nil, 0o400))
		require.NoError(t, os.WriteFile(from, nil, 0o600))
		late := filepath.Join(sim.Dir(), "late")
		pending, err := files.NewPending(ctx, late)
		require.NoError(t, err)
		require.NoError(t, os.Mkdir(late, 0o700))
		start := time.Now()
		require.Equal(t, locktest.AccessDenied, code(t, pending.Commit(ctx)))
		require.NoError(t, pending.Close())
		require.ErrorContains(t, files.Replace(ctx, from, dir), "a directory is there")
		require.Equal(t, locktest.AccessDenied, code(t, files.Replace(ctx, from, readOnly)))
		_, err = files.OpenAppend(ctx, readOnly)
		require.Equal(t, locktest.AccessDenied, code(t, err))
		require.Zero(t, time.Since(start))
	})
}

// A name whose file waits for its last reader cannot be looked at. That is no reason to give up before the others.
func TestSaveWaitsForADeletedTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := locktest.New(t)
		ctx, files := t.Context(), sim.FS()
		name := filepath.Join(sim.Dir(), "f")
		require.NoError(t, files.WriteFile(ctx, name, []byte("old")))
		require.True(t, sim.HoldFor(name, locktest.ShareAll, 5*time.Second))
		require.Equal(t, locktest.DeletePending, code(t, once(files).Remove(ctx, name)))
		require.NoError(t, files.WriteFile(ctx, name, []byte("new")))
	})
}

func TestPinnedDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := locktest.New(t)
		ctx, files := t.Context(), sim.FS()
		dir := filepath.Join(sim.Dir(), "dir")
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "child"), nil, 0o600))
		require.True(t, sim.HoldFor("dir/child", locktest.ShareAll, time.Second))
		start := time.Now()
		require.NoError(t, files.Rename(ctx, dir, dir+"2"))
		require.GreaterOrEqual(t, time.Since(start), time.Second)
	})
}

func TestDeletePendingUntilTheLastReaderGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := locktest.New(t)
		ctx, files := t.Context(), sim.FS()
		name := filepath.Join(sim.Dir(), "tree", "f")
		require.NoError(t, files.MkdirAll(ctx, filepath.Dir(name)))
		require.NoError(t, files.WriteFile(ctx, name, nil))
		require.True(t, sim.HoldFor(name, locktest.ShareAll, time.Second))

		require.Equal(t, locktest.DeletePending, code(t, once(files).Remove(ctx, name)))
		_, err := once(files).Lstat(ctx, name)
		require.Equal(t, locktest.AccessDenied, code(t, err))
		_, err = once(files).Create(ctx, name)
		require.Equal(t, locktest.AccessDenied, code(t, err))
		entries, err := files.ReadDir(ctx, filepath.Dir(name))
		require.NoError(t, err)
		require.Len(t, entries, 1, "the name is still listed")

		start := time.Now()
		require.NoError(t, files.RemoveAll(ctx, filepath.Dir(name)))
		require.InDelta(t, time.Second, time.Since(start), float64(125*time.Millisecond))
	})
}

// An emptied directory whose last child waits for a reader answers 145.
func TestDirNotEmptyPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := locktest.New(t)
		ctx, files := t.Context(), sim.FS()
		tree := filepath.Join(sim.Dir(), "tree")
		require.NoError(t, files.MkdirAll(ctx, tree))
		files = locktest.Inject(t, files, locktest.Fault{On: retry.OpRemove, Match: "tree", For: 3 * time.Second, Err: locktest.DirNotEmpty})
		require.NoError(t, files.RemoveAll(ctx, tree))
	})
}

func TestMappedFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := locktest.New(t)
		ctx, files := t.Context(), sim.FS()
		name := filepath.Join(sim.Dir(), "f")
		require.NoError(t, files.WriteFile(ctx, name, []byte("old")))
		release := sim.Map("f")
		f, err := files.OpenAppend(ctx, name)
		require.NoError(t, err)
		require.Equal(t, locktest.UserMappedFile, code(t, f.Truncate(0)))
		require.NoError(t, f.Close())
		require.ErrorIs(t, files.WriteFile(ctx, name, []byte("new")), retry.ErrLocked)
		release()
		require.NoError(t, files.WriteFile(ctx, name, []byte("new")))
	})
}

func TestPOSIXRules(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the kernel below the model is Windows itself here, and may refuse what the model permits")
	}
	sim := locktest.New(t).POSIX()
	ctx, files := t.Context(), once(sim.FS())
	name := filepath.Join(sim.Dir(), "f")
	require.NoError(t, files.WriteFile(ctx, name, nil))
	f, err := files.Open(ctx, name)
	require.NoError(t, err)
	require.NoError(t, files.WriteFile(ctx, name, nil), "a reader that shares deletion is passed over")
	require.NoError(t, files.Remove(ctx, name))
	require.NoFileExists(t, name)
	require.NoError(t, files.WriteFile(ctx, name, nil), "the old handle does not count any more")
	require.NoError(t, f.Close())
	require.NotEmpty(t, sim.Ops())
}

func TestInject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, ctx := locktest.TempDir(t), t.Context()
		name := filepath.Join(dir, "a.json")
		tries := 0
		files := locktest.Inject(t, retry.FS{Policy: retry.Policy{Observe: func(e retry.Event) { tries = e.Op.Attempt }}},
			locktest.Fault{On: retry.OpReplace, Match: "*.json", Times: 3})
		require.NoError(t, files.WriteFile(ctx, name, []byte("x")))
		require.Equal(t, 4, tries)
		require.NoError(t, files.WriteFile(ctx, filepath.Join(dir, "b.txt"), nil))

		start := time.Now()
		files = locktest.Inject(t, retry.FS{}, locktest.Fault{On: retry.OpOpen, Nth: 2, For: 3 * time.Second})
		for range 2 {
			_, err := files.ReadFile(ctx, name)
			require.NoError(t, err)
		}
		require.InDelta(t, 3*time.Second, time.Since(start), float64(125*time.Millisecond))

		files = locktest.Inject(t, retry.FS{}, locktest.Fault{On: retry.OpWrite, Short: 2, Err: locktest.DiskFull})
		f, err := files.Create(ctx, filepath.Join(dir, "c"))
		require.NoError(t, err)
		n, err := f.Write([]byte("four"))
		require.Equal(t, 2, n)
		require.ErrorIs(t, err, locktest.DiskFull)
		require.NoError(t, f.Close())

		files = locktest.Inject(t, retry.FS{}, locktest.Fault{On: retry.OpReplace, After: true, Err: locktest.DiskFull})
		require.NoError(t, files.WriteFile(ctx, name, []byte("y")), "it looks whether the file is in its place")
		require.Equal(t, "y", readString(t, name))
	})
}
