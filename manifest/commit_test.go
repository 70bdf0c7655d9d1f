package manifest_test

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
)

// slowDisk needs 10 ms for a sync, of the time in a bubble.
func slowDisk(syncs *atomic.Int64) retry.FS {
	return retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpSync {
			syncs.Add(1)
			<-time.After(10 * time.Millisecond)
		}
		return next()
	}}
}

func TestCallersShareASync(t *testing.T) {
	for _, producers := range []int{2, 8, 64} {
		synctest.Test(t, func(t *testing.T) {
			var syncs atomic.Int64
			j := open(t, filepath.Join(t.TempDir(), "j"), manifest.Options{FS: slowDisk(&syncs)})
			syncs.Store(0)
			const each = 50
			var wg sync.WaitGroup
			for p := range producers {
				wg.Go(func() {
					for i := range each {
						if err := j.Append(t.Context(), key(p*each+i), result(i)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			perSync := float64(producers*each) / float64(syncs.Load())
			t.Logf("%d producers: %.1f records a sync", producers, perSync)
			require.Greater(t, perSync, 0.9*float64(producers))
		})
	}
}

func TestALoneCallerNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var syncs atomic.Int64
		j := open(t, filepath.Join(t.TempDir(), "j"), manifest.Options{FS: slowDisk(&syncs)})
		start := time.Now()
		for i := range 20 {
			require.NoError(t, j.Append(t.Context(), key(i), result(i)))
		}
		require.Equal(t, 20*10*time.Millisecond, time.Since(start))
	})
}

func TestCloseWaitsForWhatIsBeingWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var syncs atomic.Int64
		path := filepath.Join(t.TempDir(), "j")
		j := open(t, path, manifest.Options{FS: slowDisk(&syncs)})
		errs := make(chan error)
		for i := range 3 {
			go func() { errs <- j.Append(t.Context(), key(i), result(i)) }()
		}
		synctest.Wait() // one is being written, two have queued
		require.NoError(t, j.Close())
		require.Len(t, contents(j), 3)
		for range 3 {
			require.NoError(t, <-errs)
		}
		require.Len(t, contents(open(t, path, manifest.Options{})), 3)
	})
}
