package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

func quietly(string) {}

// onDisk makes every operation take as long as on a slow disk;
// in a bubble no time would pass otherwise.
func onDisk(fs retry.FS) retry.FS {
	inner := fs.Intercept
	fs.Intercept = func(op *retry.Op, next func() error) error {
		<-time.After(10 * time.Millisecond)
		return inner(op, next)
	}
	return fs
}

func TestLocksQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := locktest.New(t)
		r := newLockTest(sim.FS(), sim.Dir(), quietly).run(t.Context(), 30)
		require.Equal(t, 30, r.Files)
		require.Equal(t, 150, r.Operations)
		require.Zero(t, r.Touched)
		require.Zero(t, r.Delayed+r.GivenUp)
		entries, err := os.ReadDir(sim.Dir())
		require.NoError(t, err)
		require.Empty(t, entries)

		f := lockFinding(r, nil, false, sim.Dir())
		require.Equal(t, ok, f.Status)
		require.Contains(t, f.Text, "nobody touched 30 fresh files")
		require.Contains(t, f.Text, "on this system an open file stops none of these")
	})
}

// A scanner that opens each new file for a fifth of a second costs time and
// nothing else.
func TestLocksUnderScanner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := locktest.New(t)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan int)
		go func() {
			done <- sim.Scan(ctx, locktest.Scanner{Min: 200 * time.Millisecond, Max: 200 * time.Millisecond, Every: 20 * time.Millisecond})
		}()
		r := newLockTest(onDisk(sim.FS()), sim.Dir(), quietly).run(t.Context(), 12)
		stop()
		require.Positive(t, <-done)
		require.NoError(t, r.failed)
		require.Zero(t, r.GivenUp)
		require.Positive(t, r.Touched)
		require.Positive(t, r.Delayed)
		require.LessOrEqual(t, r.Wait50, r.Wait95)
		require.LessOrEqual(t, r.Wait95, r.WaitMax)
		require.Equal(t, "scanner.exe", r.Holders[0].Name)
		require.Positive(t, r.Holders[0].Files)

		f := lockFinding(r, nil, true, `C:\root`)
		require.Equal(t, warning, f.Status)
		require.Contains(t, f.Text, "by scanner.exe (pid 4242, ")
		require.Contains(t, f.Text, "operations had to wait")
		require.Equal(t, `Add-MpPreference -ExclusionPath 'C:\root'`, f.Command)
	})
}

// Who holds a file for longer than a job waits makes jobs fail.
func TestLocksThatAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := locktest.New(t)
		fs := locktest.Inject(t, sim.FS(), locktest.Fault{On: retry.OpReplace, Match: "transcript-0002.txt", For: time.Hour})
		r := newLockTest(fs, sim.Dir(), quietly).run(t.Context(), 6)
		require.Equal(t, 2, r.GivenUp, "at once, and later again")
		require.Equal(t, 1, r.Touched)
		require.GreaterOrEqual(t, r.WaitMax, 10_000.0)
		f := lockFinding(r, nil, true, `C:\root`)
		require.Equal(t, problem, f.Status)
		require.Contains(t, f.Text, "2 were given up")
		r.failed = locktest.DiskFull
		require.Contains(t, lockFinding(r, nil, true, `C:\root`).Text, "not enough space")
	})
}

// The wait that is measured is that between the first refusal and the success.
func TestLocksMeasure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := locktest.New(t)
		fs := locktest.Inject(t, sim.FS(),
			locktest.Fault{On: retry.OpReplace, Match: "recording-0001.wav", For: 300 * time.Millisecond})
		r := newLockTest(fs, sim.Dir(), quietly).run(t.Context(), 3)
		require.Equal(t, 1, r.Delayed)
		require.GreaterOrEqual(t, r.WaitMax, 300.0)
		require.Less(t, r.WaitMax, 426.0, "a late try comes 125 ms after the end at most")
		require.Equal(t, r.WaitMax, r.Wait50)
	})
}

func TestLocksAndAFullDisk(t *testing.T) {
	dir := t.TempDir()
	full := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpWrite {
			return locktest.DiskFull
		}
		return next()
	}}
	r := newLockTest(full, dir, quietly).run(t.Context(), 5)
	f := lockFinding(r, nil, false, dir)
	require.Equal(t, problem, f.Status)
	require.Contains(t, f.Text, "not enough space")
}

func TestQuantile(t *testing.T) {
	var waits []time.Duration
	for n := range 100 {
		waits = append(waits, time.Duration(100-n)*time.Millisecond)
	}
	require.Equal(t, 50.0, quantile(waits, 50))
	require.Equal(t, 95.0, quantile(waits, 95))
	require.Equal(t, 100.0, quantile(waits, 100))
	require.Equal(t, 7.0, quantile([]time.Duration{7 * time.Millisecond}, 50))
	require.Zero(t, quantile(nil, 95))
}

func TestHoldersAreNamedOnce(t *testing.T) {
	fs := retry.FS{Policy: retry.Policy{Holders: func(_ context.Context, paths ...string) ([]retry.Holder, error) {
		if filepath.Base(paths[0]) == "manifest-0000.json" {
			return []retry.Holder{{PID: 7, Name: "MsMpEng.exe"}, {PID: os.Getpid(), Self: true}}, nil
		}
		return []retry.Holder{{PID: 7, Name: "MsMpEng.exe"}, {PID: 8, Name: "OneDrive.exe"}}, errors.New("one would not say")
	}}}
	r := newLockTest(fs, t.TempDir(), quietly).run(t.Context(), 3)
	require.Equal(t, []holder{{"MsMpEng.exe", 7, 3}, {"OneDrive.exe", 8, 2}}, r.Holders)
	require.Equal(t, 3, r.Touched)
	require.Contains(t, lockFinding(r, nil, false, "x").Text, "no operation had to wait")
	require.Contains(t, by(append(r.Holders, holder{"a", 1, 1}, holder{"b", 2, 1})), "1 more")
	require.Contains(t, fmt.Sprint(lockFinding(r, []string{"x"}, false, "x")), "could not be removed yet")
}
