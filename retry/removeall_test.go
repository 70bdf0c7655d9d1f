package retry_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

func TestRemoveAllRefusesWhatNobodyMeans(t *testing.T) {
	s := retry.FS{Intercept: func(op *retry.Op, _ func() error) error {
		t.Errorf("%v", op)
		return retry.Errno(5)
	}}
	for _, name := range []string{"", ".", "..", "../..", "a/..", string(filepath.Separator)} {
		require.Error(t, s.RemoveAll(t.Context(), filepath.FromSlash(name)), "%q", name)
	}
}

// With a separator at its end the name of a link is, for some systems, the folder that it leads to.
func TestRemoveAllOfALink(t *testing.T) {
	dir := locktest.TempDir(t)
	kept := filepath.Join(dir, "kept")
	require.NoError(t, os.Mkdir(kept, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(kept, "file"), nil, 0o600))
	link := filepath.Join(dir, "link")
	if err := os.Symlink(kept, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	require.NoError(t, retry.FS{}.RemoveAll(t.Context(), link+string(filepath.Separator)))
	require.FileExists(t, filepath.Join(kept, "file"))
	_, err := os.Lstat(link)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestRemoveAllCancelledSaysWhy(t *testing.T) {
	dir := locktest.TempDir(t)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "tree"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tree", "f"), nil, 0o600))
	cause := errors.New("the user went home")
	ctx, cancel := context.WithCancelCause(t.Context())
	s := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpReadDir {
			cancel(cause)
		}
		return next()
	}}
	require.ErrorIs(t, s.RemoveAll(ctx, filepath.Join(dir, "tree")), cause)
	require.FileExists(t, filepath.Join(dir, "tree", "f"))
}

// Without POSIX deletion a file is answered with ERROR_ACCESS_DENIED once it is deleted, until its last reader goes
// (CreateFile). That is the reader's doing, and no question of permissions.
func TestRemoveAllWaitsForADeletedFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree, start := filepath.Join(locktest.TempDir(t), "tree"), time.Now()
		require.NoError(t, os.Mkdir(tree, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(tree, "f"), nil, 0o600))
		deleted := false
		s := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
			if filepath.Base(op.Path) != "f" || time.Since(start) > 5*time.Second {
				return next()
			}
			if op.Kind == retry.OpRemove && !deleted {
				deleted = true
				return locktest.DeletePending
			}
			return accessDenied
		}}
		require.NoError(t, s.RemoveAll(t.Context(), tree))
	})
}
