package retry_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

func TestRemoveAbandoned(t *testing.T) {
	var files retry.FS
	dir := locktest.TempDir(t)
	pending, err := files.NewPending(t.Context(), filepath.Join(dir, "out.txt"))
	require.NoError(t, err)
	require.NoError(t, pending.OS().Close()) // as a killed process does
	for _, name := range []string{"out.txt", ".holdfast-notes.tmp", ".holdfast-0123456789abcdef.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}

	require.NoError(t, files.RemoveAbandoned(t.Context(), dir, time.Hour))
	require.FileExists(t, pending.Name(), "its writer may still be at work")
	ahead := time.Now().Add(time.Hour) // the clock was set back since, or that of the file server is ahead
	require.NoError(t, os.Chtimes(pending.Name(), ahead, ahead))
	require.NoError(t, files.RemoveAbandoned(t.Context(), dir, 0))
	require.NoFileExists(t, pending.Name())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 3)
	require.NoError(t, files.RemoveAbandoned(t.Context(), filepath.Join(dir, "absent"), 0))
}
