package manifest_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// recovered opens a copy of what a fault or a crash left, and checks that the
// acknowledged records are in it, and of others only those that were tried.
func recovered(t *testing.T, path string, acked, tried []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		require.Empty(t, acked, "the journal is gone")
		return
	}
	require.NoError(t, err)
	twin := filepath.Join(t.TempDir(), "twin")
	require.NoError(t, os.WriteFile(twin, data, 0o600))
	j, err := manifest.OpenJournal(t.Context(), twin, manifest.Options{})
	if len(acked) == 0 && err != nil {
		// Garbage from its first byte on could be anything, so it is left alone.
		require.ErrorContains(t, err, "is not a journal")
		require.False(t, strings.HasPrefix(string(data), "{"))
		return
	}
	require.NoError(t, err, "%q", data)
	defer j.Close()
	got := contents(j)
	for _, want := range acked {
		require.Contains(t, got, want)
	}
	for _, one := range got {
		require.Contains(t, tried, one, "invented")
	}
	require.NoError(t, j.Append(t.Context(), "after", result(99)), "it goes on")
}

func line(i int) string { return key(i) + "=text " + fmt.Sprint(i) }

// oldJournal is one of two records with a torn third.
func oldJournal(t *testing.T, path string) (acked []string) {
	t.Helper()
	j, err := manifest.OpenJournal(t.Context(), path, manifest.Options{})
	require.NoError(t, err)
	for i := range 2 {
		require.NoError(t, j.Append(t.Context(), key(i), result(i)))
		acked = append(acked, line(i))
	}
	require.NoError(t, j.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(data, `{"audio_filepath": "2.w`...), 0o600))
	return acked
}

// noting keeps the last error of those operations that are meant, which the
// library may be right not to tell.
func noting(files retry.FS, last *error, meant func(*retry.Op) bool) retry.FS {
	inner := files.Intercept
	files.Intercept = func(op *retry.Op, next func() error) error {
		run := next
		if inner != nil {
			run = func() error { return inner(op, next) }
		}
		err := run()
		if err != nil && meant(op) {
			*last = err
		}
		return err
	}
	return files
}

// useJournal opens, appends, publishes and closes, as a program does that goes
// on after errors, and checks what is on disk.
func useJournal(t *testing.T, files retry.FS, dir string) error {
	path := filepath.Join(dir, "j")
	acked := oldJournal(t, path)
	tried := slices.Clone(acked)

	// A failed sync of the journal is got over with a new file, rightly.
	var gotOver error
	opening := true
	files = noting(files, &gotOver, func(op *retry.Op) bool {
		return op.Kind == retry.OpSync && op.Path == path || op.Kind == retry.OpSyncDir && opening
	})
	j, err := manifest.OpenJournal(t.Context(), path, manifest.Options{FS: files})
	if err != nil {
		recovered(t, path, acked, tried)
		return err
	}
	opening = false
	var met []error
	for i := 2; i < 5; i++ {
		tried = append(tried, line(i))
		if err := j.Append(t.Context(), key(i), result(i)); err != nil {
			met = append(met, err)
			continue
		}
		acked = append(acked, line(i))
		_, ok := j.Lookup(key(i))
		require.True(t, ok)
	}
	if err := j.Publish(t.Context(), filepath.Join(dir, "out.json")); err != nil {
		met = append(met, err)
	}
	met = append(met, j.Close(), gotOver)
	recovered(t, path, acked, tried)
	published(t, filepath.Join(dir, "out.json"), len(acked))
	return errors.Join(met...)
}

// published checks that a manifest is whole or absent.
func published(t *testing.T, path string, n int) {
	t.Helper()
	entries, err := manifest.Load(t.Context(), path, manifest.Options{})
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	require.NoError(t, err)
	require.Len(t, entries, n)
}

func TestJournalBearsEveryFault(t *testing.T) {
	for name, err := range map[string]error{
		"disk full":         locktest.DiskFull,
		"read-only":         retry.Errno(19), // ERROR_WRITE_PROTECT
		"sharing violation": locktest.SharingViolation,
	} {
		t.Run(name, func(t *testing.T) {
			locktest.EveryOp(t, locktest.Fault{Err: err}, useJournal)
		})
	}
}

func TestJournalBearsEveryCrash(t *testing.T) {
	full := locktest.DiskFull
	for _, c := range []struct {
		name      string
		producers int
		faults    []locktest.Fault // the first sync is that of the opening
	}{
		{"no fault", 1, nil},
		{"many producers", 8, nil},
		{"a new journal", 0, nil},
		{"a failed sync while opening", 1, []locktest.Fault{{On: retry.OpSync, Match: "j", Err: full}}},
		{"a failed sync", 1, []locktest.Fault{{On: retry.OpSync, Match: "j", Nth: 4, Err: full}}},
		{"a failed sync of many producers", 8, []locktest.Fault{{On: retry.OpSync, Match: "j", Nth: 2, Err: full}}},
		{"a failed write", 1, []locktest.Fault{{On: retry.OpWrite, Match: "j", Nth: 3, Err: full}}},
		{"a short write", 8, []locktest.Fault{{On: retry.OpWrite, Match: "j", Nth: 2, Short: 30, Err: full}}},
		{"a failed sync and replacement", 1, []locktest.Fault{{On: retry.OpSync, Match: "j", Nth: 4, Err: full},
			{On: retry.OpReplace, Err: full}}},
		{"a failed write and truncation", 1, []locktest.Fault{{On: retry.OpWrite, Match: "j", Nth: 3, Short: 30, Err: full},
			{On: retry.OpTruncate, Nth: 2, Err: full}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			locktest.EveryCrash(t, func(t *testing.T, files retry.FS, dir string, ack func(string)) error {
				return crashedRun(t, locktest.Inject(t, files, c.faults...), dir, c.producers, ack)
			}, afterCrash)
		})
	}
}

// crashedRun appends up to 16 records and publishes them; without producers it
// begins a new journal.
func crashedRun(t *testing.T, files retry.FS, dir string, producers int, ack func(string)) error {
	path := filepath.Join(dir, "j")
	var old []string
	if producers > 0 {
		old = oldJournal(t, path)
	}
	j, err := manifest.OpenJournal(t.Context(), path, manifest.Options{FS: files})
	if err != nil {
		return err
	}
	for _, one := range old {
		ack(one)
	}
	var next atomic.Int64
	next.Store(int64(len(old)))
	var wg sync.WaitGroup
	for range max(1, producers) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < 16; i = int(next.Add(1)) - 1 {
				if err := j.Append(t.Context(), key(i), result(i)); err == nil {
					ack(line(i))
				}
			}
		})
	}
	wg.Wait()
	if err := j.Publish(t.Context(), filepath.Join(dir, "out.json")); err != nil {
		return err
	}
	ack("published")
	return j.Close()
}

func afterCrash(t *testing.T, dir string, acked []string) {
	var tried []string
	for i := range 16 {
		tried = append(tried, line(i))
	}
	n := len(acked)
	if slices.Contains(acked, "published") {
		n--
		require.FileExists(t, filepath.Join(dir, "out.json"))
	}
	recovered(t, filepath.Join(dir, "j"), acked[:n], tried)
	entries, err := manifest.Load(t.Context(), filepath.Join(dir, "out.json"), manifest.Options{})
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
		require.Len(t, entries, n)
	}
}

func TestSaveBearsEveryFaultAndCrash(t *testing.T) {
	save := func(t *testing.T, files retry.FS, dir string, ack func(string)) error {
		path := filepath.Join(dir, "m.json")
		old := `{"text": "old"}` + "\n"
		require.NoError(t, os.WriteFile(path, []byte(old), 0o600))
		var entries []manifest.Entry
		for i := range 2000 {
			entries = append(entries, result(i))
		}
		if _, err := files.Stat(t.Context(), path); err != nil { // the model learns of the old one
			return err
		}
		ack("old")
		err := manifest.Save(t.Context(), path, slices.Values(entries), manifest.Options{FS: files})
		data, readErr := os.ReadFile(path)
		require.NoError(t, readErr)
		if string(data) != old {
			require.Equal(t, 2000, strings.Count(string(data), "\n"))
		}
		return err
	}
	t.Run("faults", func(t *testing.T) {
		locktest.EveryOp(t, locktest.Fault{Err: locktest.DiskFull}, func(t *testing.T, files retry.FS, dir string) error {
			return save(t, files, dir, func(string) {})
		})
	})
	t.Run("crashes", func(t *testing.T) {
		locktest.EveryCrash(t, func(t *testing.T, files retry.FS, dir string, ack func(string)) error {
			err := save(t, files, dir, ack)
			ack("saved")
			return err
		}, func(t *testing.T, dir string, acked []string) {
			entries, err := manifest.Load(t.Context(), filepath.Join(dir, "m.json"), manifest.Options{})
			if len(acked) == 0 && errors.Is(err, fs.ErrNotExist) {
				return
			}
			require.NoError(t, err)
			require.Contains(t, []int{1, 2000}, len(entries))
			if len(acked) == 2 {
				require.Len(t, entries, 2000)
			}
		})
	})
}

func TestJournalUnderTheRulesOfWindows(t *testing.T) {
	sim := locktest.New(t)
	path := filepath.Join(sim.Dir(), "j")
	j, err := manifest.OpenJournal(t.Context(), path, manifest.Options{FS: sim.FS()})
	require.NoError(t, err)
	require.NoError(t, j.Append(t.Context(), key(0), result(0)))
	for i := 1; i < 3; i++ {
		release := sim.Hold("j", locktest.ShareAll) // an indexer reads along
		require.NoError(t, j.Append(t.Context(), key(i), result(i)))
		release()
	}
	require.NoError(t, j.Close())
	j, err = manifest.OpenJournal(t.Context(), path, manifest.Options{FS: sim.FS()})
	require.NoError(t, err)
	require.Len(t, contents(j), 3)
	require.NoError(t, j.Close())
}

func TestNothingIsWrittenBehindHalfALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	oldJournal(t, path)
	j, err := manifest.OpenJournal(t.Context(), path, manifest.Options{FS: locktest.Inject(t, retry.FS{},
		locktest.Fault{On: retry.OpWrite, Match: "j", Short: 30, Err: locktest.DiskFull},
		locktest.Fault{On: retry.OpTruncate, Nth: 2, Err: locktest.DiskFull})})
	require.NoError(t, err)
	require.ErrorIs(t, j.Append(t.Context(), key(2), result(2)), locktest.DiskFull)
	require.NoError(t, j.Append(t.Context(), key(2), result(2)))
	require.NoError(t, j.Close())
	j = open(t, path, manifest.Options{})
	require.Len(t, contents(j), 3)
	require.Empty(t, j.Damaged())
}
