//go:build unix

package tempdir_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/tempdir"
)

func TestOpenRefusesWhatOthersCanChange(t *testing.T) {
	dir := shortDir(t)
	require.NoError(t, os.Chmod(dir, 0o777))
	_, err := tempdir.Open(t.Context(), dir, tempdir.Options{})
	require.Equal(t, []string{"private"}, failed(t, err))

	inner := filepath.Join(dir, "jobs") // others could rename it away
	_, err = tempdir.Open(t.Context(), inner, tempdir.Options{})
	require.Equal(t, []string{"private"}, failed(t, err))
}

func TestOpenResolvesLinks(t *testing.T) {
	base := shortDir(t)
	link := filepath.Join(base, "link")
	require.NoError(t, os.Symlink(filepath.Join(base, "real"), link))
	require.NoError(t, os.Mkdir(filepath.Join(base, "real"), 0o700))
	root, err := tempdir.Open(t.Context(), link, tempdir.Options{})
	require.NoError(t, err)
	require.Equal(t, "real", filepath.Base(root.Path()), "no link is left that could be turned elsewhere")

	// A link that leads to a bad name does not hide it.
	require.NoError(t, os.Mkdir(filepath.Join(base, "a,b"), 0o700))
	require.NoError(t, os.Symlink(filepath.Join(base, "a,b"), filepath.Join(base, "fine")))
	_, err = tempdir.Open(t.Context(), filepath.Join(base, "fine"), tempdir.Options{})
	require.Equal(t, []string{"characters"}, failed(t, err))
}

func TestScopesArePrivate(t *testing.T) {
	scope := newScope(t, openRoot(t))
	for _, dir := range []string{scope.Path(), filepath.Dir(scope.Path())} {
		info, err := os.Stat(dir)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), dir)
	}
}

func TestStageRefusesPipe(t *testing.T) {
	pipe := filepath.Join(shortDir(t), "pipe.wav")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	_, err := newScope(t, openRoot(t)).Stage(t.Context(), pipe)
	require.ErrorContains(t, err, "not a regular file")
}

func TestReadOnlyDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("needs a user other than root, whom permissions do not stop")
	}
	dir := shortDir(t)
	require.NoError(t, os.Chmod(dir, 0o500))
	_, err := tempdir.Open(t.Context(), dir, tempdir.Options{})
	require.ErrorIs(t, err, os.ErrPermission)
}
