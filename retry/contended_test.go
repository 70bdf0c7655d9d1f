package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// saver is a way to save a file atomically. All make the same file in the same steps, with a pause in which a
// scanner finds the temporary file.
type saver struct {
	name string
	save func(ctx context.Context, name string, data []byte) error
}

const pause = 4 * time.Millisecond

func pauseFor(d time.Duration) { <-time.After(d) }

// ours is retry.FS as it comes.
var ours = saver{"retry", func(ctx context.Context, name string, data []byte) error {
	files := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpReplace && op.Attempt == 1 {
			pauseFor(pause)
		}
		return next()
	}}
	return files.WriteFile(ctx, name, data)
}}

// robustio is the yardstick: what cmd/go does, with the schedule of its package robustio.
var robustio = saver{"robustio", func(_ context.Context, name string, data []byte) error {
	return saveWith(name, data, robustly)
}}

func saveWith(name string, data []byte, retrying func(func() error) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), "save-*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	pauseFor(pause)
	err = retrying(func() error { return os.Rename(f.Name(), name) })
	if err != nil {
		_ = retrying(func() error { return os.Remove(f.Name()) })
	}
	return err
}

// robustly is the loop of $GOROOT/src/cmd/internal/robustio/robustio_flaky.go: 5, 2 and 32 for two seconds.
func robustly(f func() error) error {
	var start time.Time
	next := time.Millisecond
	for {
		err := f()
		code, ok := windowsCode(err)
		if err == nil || !ok || code != 5 && code != 2 && code != 32 {
			return err
		}
		if start.IsZero() {
			start = time.Now()
		} else if time.Since(start)+next >= 2*time.Second {
			return err
		}
		pauseFor(next)
		next += rand.N(next)
	}
}

// outcome is what became of a saver's saves.
type outcome struct {
	took   []time.Duration // of the successful ones
	failed int
	held   int // files that the scanner held meanwhile
}

func (o outcome) mean() time.Duration {
	if len(o.took) == 0 {
		return 0
	}
	var sum time.Duration
	for _, d := range o.took {
		sum += d
	}
	return sum / time.Duration(len(o.took))
}

func (o outcome) quantile(q float64) time.Duration {
	if len(o.took) == 0 {
		return 0
	}
	slices.Sort(o.took)
	return o.took[min(len(o.took)-1, int(q*float64(len(o.took))))]
}

func (o outcome) String() string {
	return fmt.Sprintf("%d holds; %d of %d failed; mean %v, p50 %v, p95 %v, max %v", o.held, o.failed, o.failed+len(o.took),
		round(o.mean()), round(o.quantile(0.5)), round(o.quantile(0.95)), round(o.quantile(1)))
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// contend lets each saver save one file n times, all at the same time and each in a folder of its own, while a scanner
// goes over each folder and a reader looks at the files. No save of the first may fail.
func contend(t testing.TB, n int, scanner locktest.Scanner, savers ...saver) []outcome {
	root := locktest.TempDir(t)
	var names []string
	var stops []func() int
	for _, s := range savers {
		name := filepath.Join(root, s.name, "manifest.json")
		require.NoError(t, os.Mkdir(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, content(0), 0o600))
		names = append(names, name)
		stops = append(stops, locktest.Scan(t, filepath.Dir(name), scanner))
	}

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var reader, saving sync.WaitGroup
	reader.Go(func() { readAll(ctx, t, names) })
	outcomes := make([]outcome, len(savers))
	for k, s := range savers {
		saving.Go(func() {
			for i := range n {
				start := time.Now()
				if err := s.save(ctx, names[k], content(i+1)); err != nil {
					if outcomes[k].failed++; k == 0 {
						t.Errorf("%s, save %d: %v", s.name, i, err)
					}
					continue
				}
				outcomes[k].took = append(outcomes[k].took, time.Since(start))
			}
		})
	}
	saving.Wait()
	cancel()
	reader.Wait()
	for k, name := range names {
		outcomes[k].held = stops[k]()
		require.NoError(t, checkContent(name), savers[k].name)
	}
	entries, err := os.ReadDir(filepath.Dir(names[0]))
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file of ours is left")
	return outcomes
}

// content is 4 KiB that shows when it is torn.
func content(n int) []byte {
	line := fmt.Sprintf("%08d %s\n", n, strings.Repeat("x", 54))
	return []byte(strings.Repeat(line, 64))
}

// readAll looks at the files every 20 ms: they must be there and whole. A read that is refused proves nothing.
func readAll(ctx context.Context, t testing.TB, names []string) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		for _, name := range names {
			if err := checkContent(name); err != nil {
				t.Error(err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func checkContent(name string) error {
	data, err := retry.FS{Policy: retry.Policy{Budget: -1}}.ReadFile(context.Background(), name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("missing: %w", err)
	case err != nil:
		return nil
	}
	if len(data) != 64*64 || strings.Count(string(data), string(data[:64])) != 64 {
		return fmt.Errorf("torn: %s", name)
	}
	return nil
}

// A scanner in another process opens every file that it sees, and lets nobody in; no save fails.
func TestSavesUnderAScanner(t *testing.T) {
	t.Logf("retry: %v", contend(t, 30, locktest.Scanner{}, ours)[0])
}

// Run it with -benchtime 250x for the figures of the README.
func BenchmarkContendedSave(b *testing.B) {
	for _, bb := range []struct {
		name    string
		scanner locktest.Scanner
		savers  []saver
	}{
		{"harsh", locktest.Scanner{}, []saver{ours, robustio}},
		{"gentle", locktest.Scanner{Once: true}, []saver{ours, robustio}},
		{"polite", locktest.Scanner{Share: locktest.ShareAll}, []saver{ours, robustio}},
		{"long", locktest.Scanner{Min: time.Second, Max: 4 * time.Second}, []saver{ours, robustio}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			outcomes := contend(b, b.N, bb.scanner, bb.savers...)
			for k, o := range outcomes {
				b.Logf("n=%d %s: %v", b.N, bb.savers[k].name, o)
			}
			b.ReportMetric(100*float64(outcomes[0].failed)/float64(b.N), "%failed")
			b.ReportMetric(100*float64(outcomes[1].failed)/float64(b.N), "%failed-robustio")
			if peer := outcomes[1]; len(peer.took) > 0 {
				b.ReportMetric(float64(outcomes[0].mean())/float64(peer.mean()), "mean/robustio")
				b.ReportMetric(float64(outcomes[0].quantile(0.95))/float64(peer.quantile(0.95)), "p95/robustio")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
