package tempdir_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func device(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Sys().(*syscall.Stat_t).Dev
}

// No rename leads from one volume to another; what is published there is whole
// all the same.
func TestPublishToAnotherVolume(t *testing.T) {
	scope := newScope(t, openRoot(t))
	other, err := os.MkdirTemp("/dev/shm", "hf-")
	if err != nil || device(t, other) == device(t, scope.Path()) {
		t.Skip("no second volume: /dev/shm is missing or on the same one")
	}
	defer os.RemoveAll(other)
	require.NoError(t, os.WriteFile(scope.Path("out.txt"), []byte("text"), 0o600))
	dst := filepath.Join(other, "out.txt")
	require.NoError(t, scope.Publish(t.Context(), "out.txt", dst))
	got, err := os.ReadFile(dst)
	require.NoError(t, err)
	require.Equal(t, "text", string(got))
	staged, err := scope.Stage(t.Context(), dst)
	require.NoError(t, err)
	require.Equal(t, sum([]byte("text")), staged.SHA256)
}
