package main

import (
	"context"
	"os"
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

func TestUsage(t *testing.T) {
	require.Equal(t, 2, start(t.Context(), []string{"-share", "everything"}))
	require.Equal(t, 2, start(t.Context(), []string{"-no-such-flag"}))
}
