package tempdir_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/tempdir"
)

// BenchmarkStage stages 100 MB with its checksum, and beside it, in turn, lets
// cp copy and SHA-256 read the same file. x/slower is the time of staging over
// that of the slower of the two: with copying and hashing overlapped it is
// little over 1. Medians.
func BenchmarkStage(b *testing.B) {
	cp, err := exec.LookPath("cp")
	if err != nil {
		b.Skip("no cp to compare with")
	}
	dir, err := os.MkdirTemp("", "hf-")
	require.NoError(b, err)
	b.Cleanup(func() { os.RemoveAll(dir) })
	src := filepath.Join(dir, "src.wav")
	require.NoError(b, os.WriteFile(src, bytes.Repeat([]byte("sound..."), 100e6/8), 0o600))
	root, err := tempdir.Open(b.Context(), filepath.Join(dir, "root"), tempdir.Options{})
	require.NoError(b, err)
	scope, err := root.NewScope(b.Context(), "bench")
	require.NoError(b, err)
	defer scope.Close()

	var staging, copying, hashing []time.Duration
	timed := func(into *[]time.Duration, f func()) {
		begin := time.Now()
		f()
		*into = append(*into, time.Since(begin))
	}
	for b.Loop() {
		timed(&copying, func() {
			require.NoError(b, exec.Command(cp, src, filepath.Join(dir, "copy")).Run())
		})
		require.NoError(b, os.Remove(filepath.Join(dir, "copy")))
		timed(&hashing, func() {
			f, err := os.Open(src)
			require.NoError(b, err)
			defer f.Close()
			_, err = io.Copy(sha256.New(), f)
			require.NoError(b, err)
		})
		var staged tempdir.Staged
		timed(&staging, func() {
			staged, err = scope.Stage(b.Context(), src)
			require.NoError(b, err)
		})
		require.NoError(b, os.Remove(staged.Path))
	}
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return d[len(d)/2].Seconds()
	}
	b.ReportMetric(median(staging)/max(median(copying), median(hashing)), "x/slower")
	b.ReportMetric(1e3*median(copying), "ms/cp")
	b.ReportMetric(1e3*median(hashing), "ms/sha256")
	b.ReportMetric(1e3*median(staging), "ms/stage")
	b.ReportMetric(0, "ns/op")
}
