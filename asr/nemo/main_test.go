package nemo_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/tempdir"
)

// openRoot makes a root whose path is short enough for Python's sockets.
func openRoot(t testing.TB) *tempdir.Root {
	t.Helper()
	dir, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	root, err := tempdir.Open(t.Context(), dir, tempdir.Options{})
	require.NoError(t, err)
	return root
}
