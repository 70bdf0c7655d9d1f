package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry/locktest"
)

// TestMain lets the test binary be the holder that the program starts.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-scan") {
		os.Exit(start(context.Background(), os.Args[1:]))
	}
	os.Exit(m.Run())
}

func TestNothingFailsInAStorm(t *testing.T) {
	r, err := run(t.Context(), options{
		length:  700 * time.Millisecond,
		holders: 1,
		scanner: locktest.Scanner{Min: time.Millisecond, Max: 60 * time.Millisecond},
	})
	require.NoError(t, err)
	var out strings.Builder
	r.print(&out)
	t.Log("\n" + out.String())
	require.False(t, r.failed())
	require.NotZero(t, r.held)
	require.NotZero(t, r.results)
}

// Ctrl-C is an early end, and no failure.
func TestInterrupt(t *testing.T) {
	dir, err := os.MkdirTemp("", "hf-") // a root's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		defer interrupt()
		for ctx.Err() == nil {
			if published, _ := filepath.Glob(filepath.Join(dir, "transcripts", "*.txt")); len(published) > 0 {
				return
			}
			<-time.After(time.Millisecond)
		}
	}()
	r, err := run(ctx, options{dir: dir, length: time.Hour, holders: 1, scanner: locktest.Scanner{Min: time.Millisecond, Max: 5 * time.Millisecond}})
	require.NoError(t, err)
	require.False(t, r.failed(), r.errors)
}

func TestFolderOfSomebody(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600))
	_, err := run(t.Context(), options{dir: dir, length: time.Millisecond})
	require.ErrorContains(t, err, "not empty")
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{"-share", "everything"}, {"-no-such-flag"}, {"10s"}, {"-holders", "-1"}, {"-for", "-1s"}, {"-min", "-1ms"}, {"-min", "2s"}, {"-scan"},
	} {
		require.Equal(t, 2, start(t.Context(), args), args)
	}
	require.Zero(t, start(t.Context(), []string{"-h"}))
}
