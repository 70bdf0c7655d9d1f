package tempdir_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/go-multierror"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/tempdir"
)

func ExampleOpen() {
	ctx := context.Background()
	root, err := tempdir.Open(ctx, "", tempdir.Options{}) // a validated default
	if err != nil {
		panic(err) // says every check that failed, each with what to do
	}
	scope, err := root.NewScope(ctx, "one job")
	if err != nil {
		panic(err)
	}
	defer scope.Close() // cannot fail the job
	// Hand scope.Env() to child processes and work below scope.Path().
}

// failed gives the names of the checks in an error of Open.
func failed(t *testing.T, err error) []string {
	t.Helper()
	many, ok := errors.AsType[*multierror.Error](err)
	require.True(t, ok, "%v", err)
	var names []string
	for _, err := range many.Errors {
		check, ok := errors.AsType[*tempdir.CheckError](err)
		require.True(t, ok, "%v", err)
		require.NotEmpty(t, check.Path)
		names = append(names, check.Check)
	}
	return names
}

func TestOpenCreatesPrivateRoot(t *testing.T) {
	dir := filepath.Join(shortDir(t), "Chunky's Master Folder")
	root, err := tempdir.Open(t.Context(), dir, tempdir.Options{})
	require.NoError(t, err)
	real, err := filepath.EvalSymlinks(dir)
	require.NoError(t, err)
	require.Equal(t, real, root.Path())
	again, err := tempdir.Open(t.Context(), dir, tempdir.Options{})
	require.NoError(t, err)
	require.Equal(t, root.Path(), again.Path())

	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		require.False(t, strings.HasPrefix(e.Name(), "probe-"), "the trial directory is gone")
	}
}

func TestOpenRefusesNames(t *testing.T) {
	base := shortDir(t)
	for name, check := range map[string]string{
		"Ann (Work)":                 "characters",
		"a,b":                        "characters",
		"{x}":                        "characters",
		"m_OP_0":                     "characters",
		strings.Repeat("long/", 100): "length",
		"OneDrive/x":                 "synced folder",
		"OneDrive - Contoso/x":       "synced folder",
		"Dropbox/deep/er":            "synced folder",
		"My Drive":                   "synced folder",
		"Mobile Documents":           "synced folder",
	} {
		_, err := tempdir.Open(t.Context(), filepath.Join(base, filepath.FromSlash(name)), tempdir.Options{})
		require.Contains(t, failed(t, err), check, name)
	}
	_, err := os.Lstat(filepath.Join(base, "Ann (Work)"))
	require.ErrorIs(t, err, os.ErrNotExist, "a directory with a bad name is not even created")
}

func TestOpenRefusesRelativePath(t *testing.T) {
	_, err := tempdir.Open(t.Context(), "somewhere", tempdir.Options{})
	require.Equal(t, []string{"absolute path"}, failed(t, err))
}

func TestOpenReportsAllFailures(t *testing.T) {
	dir := filepath.Join(shortDir(t), "Dropbox")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "cache", "something"), 0o700))
	_, err := tempdir.Open(t.Context(), dir, tempdir.Options{MinFree: 1 << 62})
	require.ElementsMatch(t, []string{"synced folder", "free space", "ownership"}, failed(t, err))
	for line := range strings.Lines(err.Error()) {
		if strings.HasPrefix(line, "  - ") {
			require.Contains(t, line, "; ", "each has a hint")
		}
	}
}

func TestOpenSeesSyncMarker(t *testing.T) {
	dir := shortDir(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".dropbox"), nil, 0o600))
	_, err := tempdir.Open(t.Context(), filepath.Join(dir, "jobs"), tempdir.Options{})
	require.Equal(t, []string{"synced folder"}, failed(t, err))
}

func TestOpenSeesOneDriveVariable(t *testing.T) {
	dir := shortDir(t)
	t.Setenv("OneDrive", dir)
	_, err := tempdir.Open(t.Context(), filepath.Join(dir, "jobs"), tempdir.Options{})
	require.Equal(t, []string{"synced folder"}, failed(t, err))
}

func TestOpenRefusesNestedRoot(t *testing.T) {
	root := openRoot(t)
	scope := newScope(t, root)
	_, err := tempdir.Open(t.Context(), scope.Path("inner"), tempdir.Options{})
	require.Equal(t, []string{"nesting"}, failed(t, err))
}

// Programs that start together make the same new root; none takes another's mark for a stranger's file.
func TestOpenTogether(t *testing.T) {
	base := shortDir(t)
	for i := range 40 {
		dir := filepath.Join(base, strconv.Itoa(i))
		var all errgroup.Group
		for range 8 {
			all.Go(func() error {
				_, err := tempdir.Open(t.Context(), dir, tempdir.Options{})
				return err
			})
		}
		require.NoError(t, all.Wait())
	}
}

func TestOpenKeepsForeignFiles(t *testing.T) {
	dir := shortDir(t)
	mine := filepath.Join(dir, "thesis.doc")
	require.NoError(t, os.WriteFile(mine, []byte("text"), 0o600))
	root, err := tempdir.Open(t.Context(), dir, tempdir.Options{})
	require.NoError(t, err)
	_, err = root.Sweep(t.Context())
	require.NoError(t, err)
	require.FileExists(t, mine)
}

func TestOpenRefusesFile(t *testing.T) {
	file := filepath.Join(shortDir(t), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := tempdir.Open(t.Context(), file, tempdir.Options{})
	require.Error(t, err)
	require.ErrorContains(t, err, file)
}

func TestOpenCancelled(t *testing.T) {
	cause := errors.New("the user went home")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	dir := filepath.Join(shortDir(t), "never")
	_, err := tempdir.Open(ctx, dir, tempdir.Options{})
	require.ErrorIs(t, err, cause)
	_, err = tempdir.FromEnv(ctx, tempdir.Options{})
	require.ErrorIs(t, err, cause)
	require.NoDirExists(t, dir)
}

func TestDefaultFallsBack(t *testing.T) {
	// The first default lies below a bad name, as for the user Ann (Work).
	base := shortDir(t)
	bad := filepath.Join(base, "Ann (Work)")
	require.NoError(t, os.MkdirAll(bad, 0o700))
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, bad)
	}
	good := filepath.Join(base, "tmp")
	require.NoError(t, os.MkdirAll(good, 0o700))
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, good)
	}
	root, err := tempdir.Open(t.Context(), "", tempdir.Options{})
	require.NoError(t, err)
	real, err := filepath.EvalSymlinks(good)
	require.NoError(t, err)
	require.Equal(t, real, filepath.Dir(root.Path()))
}

func TestCache(t *testing.T) {
	root := openRoot(t)
	dir, err := root.Cache(t.Context(), "models")
	require.NoError(t, err)
	require.DirExists(t, dir)
	for _, name := range []string{"", ".", "..", "a/b", "/abs"} {
		_, err := root.Cache(t.Context(), name)
		require.Error(t, err, name)
	}
}
