package manifest_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

func TestClear(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path, manifest.Options{})
	require.NoError(t, j.Clear(t.Context()), "there is nothing yet")
	for range 2 {
		for i := range 3 {
			require.NoError(t, j.Append(t.Context(), key(i), result(i)))
		}
		require.NoError(t, j.Clear(t.Context()))
		require.Empty(t, contents(j))
		_, ok := j.Lookup(key(0))
		require.False(t, ok)
		require.NoFileExists(t, path)
	}
	_, err := manifest.OpenJournal(t.Context(), path, manifest.Options{})
	require.ErrorIs(t, err, manifest.ErrInUse)
	require.NoError(t, j.Append(t.Context(), key(7), result(7)))
	require.NoError(t, j.Close())
	require.ErrorIs(t, j.Clear(t.Context()), os.ErrClosed)

	j = open(t, path, manifest.Options{})
	require.Equal(t, []string{line(7)}, contents(j))
	require.Empty(t, j.Damaged())
}

// The lines that were damaged go too.
func TestClearTakesDamageAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	oldJournal(t, path)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	data[2]++
	require.NoError(t, os.WriteFile(path, data, 0o600))
	j := open(t, path, manifest.Options{})
	require.NotEmpty(t, j.Damaged())
	require.NoError(t, j.Clear(t.Context()))
	require.Empty(t, j.Damaged())
}

// Callers who append without end do not keep it waiting, and what they append
// later is there.
func TestClearAmongProducers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var syncs, next atomic.Int64
		path := filepath.Join(t.TempDir(), "j")
		j := open(t, path, manifest.Options{FS: slowDisk(&syncs)})
		var stop atomic.Bool
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for !stop.Load() {
					n := int(next.Add(1))
					if err := j.Append(t.Context(), key(n), result(n)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		synctest.Wait()
		for range 3 {
			require.NoError(t, j.Clear(t.Context()))
		}
		before := next.Load()
		stop.Store(true)
		wg.Wait()
		require.NotEmpty(t, contents(j))
		require.Less(t, int64(len(contents(j))), before)
		have := contents(j)
		require.NoError(t, j.Close())
		require.Equal(t, have, contents(open(t, path, manifest.Options{})))
	})
}

// A reader that follows sees what comes after.
func TestFollowAfterClear(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path, manifest.Options{})
	require.NoError(t, j.Append(t.Context(), key(0), result(0)))
	var seen []string
	for r, err := range manifest.Follow(t.Context(), path, manifest.Options{}) {
		require.NoError(t, err)
		seen = append(seen, r.Key)
		if len(seen) == 2 {
			break
		}
		require.NoError(t, j.Clear(t.Context()))
		require.NoError(t, j.Append(t.Context(), key(1), result(1)))
	}
	require.Equal(t, []string{key(0), key(1)}, seen)
}

// clearJournal appends, clears and appends, as a program does that goes on after
// errors. keep is told what must be there, or may be gone.
func clearJournal(t *testing.T, files retry.FS, dir string, ack func(string)) error {
	path := filepath.Join(dir, "j")
	must, tried := []string(nil), []string(nil)
	// A file that cannot be synced, or opened again, is got over with a new one,
	// rightly; but what Clear meets it has to say.
	var gotOver error
	clearing := false
	files = noting(files, &gotOver, func(op *retry.Op) bool {
		return !clearing && slices.Contains([]retry.Kind{retry.OpSync, retry.OpAppend, retry.OpSyncDir}, op.Kind)
	})
	j, err := manifest.OpenJournal(t.Context(), path, manifest.Options{FS: files})
	if err != nil {
		return err
	}
	var met []error
	add := func(i int) {
		tried = append(tried, line(i))
		if err := j.Append(t.Context(), key(i), result(i)); err != nil {
			met = append(met, err)
			return
		}
		must = append(must, line(i))
		ack(line(i))
	}
	for i := range 2 {
		add(i)
	}
	ack("clearing")
	clearing = true
	err = j.Clear(t.Context())
	clearing = false
	if err != nil {
		met = append(met, err)
		// All or none, whichever it is by now.
		if len(contents(j)) > 0 {
			require.Subset(t, contents(j), must)
		} else {
			must, tried = nil, nil
		}
	} else {
		must, tried = nil, nil
		ack("cleared")
	}
	for i := 2; i < 4; i++ {
		add(i)
	}
	require.Subset(t, contents(j), must)
	met = append(met, j.Close(), gotOver)
	recovered(t, path, must, tried)
	return errors.Join(met...)
}

func TestClearBearsEveryFault(t *testing.T) {
	for name, err := range map[string]error{
		"disk full":         locktest.DiskFull,
		"sharing violation": locktest.SharingViolation,
	} {
		t.Run(name, func(t *testing.T) {
			locktest.EveryOp(t, locktest.Fault{Err: err}, func(t *testing.T, files retry.FS, dir string) error {
				return clearJournal(t, files, dir, func(string) {})
			})
		})
	}
}

func TestClearBearsEveryCrash(t *testing.T) {
	locktest.EveryCrash(t, clearJournal, func(t *testing.T, dir string, acked []string) {
		path := filepath.Join(dir, "j")
		_, err := os.Stat(path)
		clearing, cleared := slices.Index(acked, "clearing"), slices.Index(acked, "cleared")
		early := []string{line(0), line(1)}
		switch {
		case cleared >= 0: // and no record of before comes back
			recovered(t, path, acked[cleared+1:], []string{line(2), line(3)})
		case clearing < 0:
			recovered(t, path, acked, early)
		case !errors.Is(err, fs.ErrNotExist):
			recovered(t, path, nil, []string{line(0), line(1), line(2)})
		}
	})
}
