package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// A scanner in another process opens every file that it sees, and lets nobody in; no save fails, no reader misses the
// file or sees it torn, and nothing is left beside it. How other programs fare is measured in internal/bench.
func TestSavesUnderAScanner(t *testing.T) {
	dir := locktest.TempDir(t)
	name := filepath.Join(dir, "manifest.json")
	require.NoError(t, os.WriteFile(name, content(0), 0o600))
	stop := locktest.Scan(t, dir, locktest.Scanner{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var reader sync.WaitGroup
	reader.Go(func() { readAll(ctx, t, name) })

	// The pause before the rename is the time in which a scanner finds the temporary file.
	files := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpReplace && op.Attempt == 1 {
			<-time.After(4 * time.Millisecond)
		}
		return next()
	}}
	for i := range 30 {
		require.NoError(t, files.WriteFile(ctx, name, content(i+1)), "save %d", i)
	}
	cancel()
	reader.Wait()
	t.Logf("%d holds", stop())
	require.NoError(t, checkContent(name))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file of ours is left")
}

// content is 4 KiB that shows when it is torn.
func content(n int) []byte {
	line := fmt.Sprintf("%08d %s\n", n, strings.Repeat("x", 54))
	return []byte(strings.Repeat(line, 64))
}

// readAll looks at the file every 20 ms: it must be there and whole. A read that is refused proves nothing.
func readAll(ctx context.Context, t testing.TB, name string) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := checkContent(name); err != nil {
			t.Error(err)
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
