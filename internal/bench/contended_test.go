package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// scanPause is how long a save waits between writing its temporary file and renaming it: time for a scanner to find it.
const scanPause = 4 * time.Millisecond

// TestContendedSaves saves a file of 4 KiB again and again by each schedule, all at the same time and each in a folder
// of its own, while another process opens every file that appears and lets nobody in. It needs the real share modes of
// Windows, or Wine's, and prints lines as benchmarks do.
func TestContendedSaves(t *testing.T) {
	if os.Getenv("HOLDFAST_BENCH_LOCKS") == "" {
		t.Skip("set HOLDFAST_BENCH_LOCKS=1, or run the report")
	}
	for _, s := range []struct {
		name    string
		saves   int
		scanner locktest.Scanner
	}{
		{"5-500ms", 60, locktest.Scanner{}},
		{"1-4s", 8, locktest.Scanner{Min: time.Second, Max: 4 * time.Second}},
	} {
		t.Run(s.name, func(t *testing.T) {
			for group := range slices.Chunk(contenders(), 4) {
				contend(t, s.name, s.saves, s.scanner, group)
			}
		})
	}
}

// contenders are few: each has a scanner of its own, and a scanner that has too much to do holds nothing.
func contenders() []schedule {
	return slices.DeleteFunc(schedules(), func(s schedule) bool {
		return !slices.Contains([]string{"holdfast", "once", "git", "chromium", "robustio", "uv", "graceful-fs"}, s.by)
	})
}

func contend(t *testing.T, name string, saves int, scanner locktest.Scanner, group []schedule) {
	root := locktest.TempDir(t)
	var stops []func() int
	for _, s := range group {
		dir := filepath.Join(root, s.by)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		stops = append(stops, locktest.Scan(t, dir, scanner))
	}
	results := make([]string, len(group))
	var saving sync.WaitGroup
	for i, s := range group {
		saving.Go(func() { results[i] = saveAgain(t.Context(), filepath.Join(root, s.by, "manifest.json"), s, saves) })
	}
	saving.Wait()
	for i, s := range group {
		held := float64(stops[i]()) / float64(saves)
		fmt.Printf("BenchmarkContendedSaves/hold=%s/by=%s %d %s %.1f holds/save\n", name, s.by, saves, results[i], held)
	}
}

// saveAgain gives what became of n saves, as a benchmark's metrics.
func saveAgain(ctx context.Context, name string, s schedule, n int) string {
	data := []byte(strings.Repeat("0123456789abcdef", 256))
	var took []time.Duration
	for range n {
		start := time.Now()
		save := saveBy
		if s.waits == nil {
			save = saveByRetry
		}
		if save(ctx, name, data, s) == nil {
			took = append(took, time.Since(start))
		}
	}
	text := fmt.Sprintf("%.1f %%-failed", 100*float64(n-len(took))/float64(n))
	if len(took) == 0 {
		return text
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return fmt.Sprintf("%s %.0f ms-p50 %.0f ms-p95", text, ms(took[len(took)/2]), ms(took[min(len(took)-1, len(took)*95/100)]))
}

func saveByRetry(ctx context.Context, name string, data []byte, _ schedule) error {
	files := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpReplace && op.Attempt == 1 {
			<-time.After(scanPause)
		}
		return next()
	}}
	return files.WriteFile(ctx, name, data)
}

func saveBy(_ context.Context, name string, data []byte, s schedule) error {
	f, err := os.CreateTemp(filepath.Dir(name), "save-*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	<-time.After(scanPause)
	if err = s.try(func() error { return os.Rename(f.Name(), name) }); err != nil {
		_ = s.try(func() error { return os.Remove(f.Name()) })
	}
	return err
}
