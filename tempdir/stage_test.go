package tempdir_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func TestStage(t *testing.T) {
	scope := newScope(t, openRoot(t))
	for _, size := range []int{0, 1, 4 << 20, 9<<20 + 17} {
		data := bytes.Repeat([]byte("0123456789abcdef!"), size/17+1)[:size]
		src := filepath.Join(shortDir(t), "a.WAV")
		require.NoError(t, os.WriteFile(src, data, 0o400))
		staged, err := scope.Stage(t.Context(), src)
		require.NoError(t, err)
		require.Equal(t, int64(size), staged.Size)
		require.Equal(t, sum(data), staged.SHA256)
		got, err := os.ReadFile(staged.Path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))
		require.Equal(t, ".wav", filepath.Ext(staged.Path))
		require.Equal(t, scope.Path(), filepath.Dir(staged.Path))
	}
}

func TestStageDealsWithNames(t *testing.T) {
	scope := newScope(t, openRoot(t))
	dir := shortDir(t)
	for _, name := range []string{
		"Ann (Work), part 1.wav", "-x.wav", "Grüße – 日本.wav", "$(touch x).wav", "a.wav.exe;rm", "noext",
		strings.Repeat("x", 200) + ".wav", ".wav", "trailing.", "%TEMP%.mp3", "quote's.wav",
	} {
		src := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(src, []byte(name), 0o600))
		staged, err := scope.Stage(t.Context(), src)
		require.NoError(t, err, name)
		require.Regexp(t, `^[0-9a-f]{12}\.[a-z0-9]{1,5}$`, filepath.Base(staged.Path))
		require.Equal(t, sum([]byte(name)), staged.SHA256)
	}
}

// While a source is written to, its copy is made again, and in the end given
// up.
func TestStageUnsettledSource(t *testing.T) {
	for name, c := range map[string]struct {
		changes int // copies during which the source changes
		change  func(t *testing.T, src string)
		settles bool
	}{
		"once":                  {1, appendTo, true},
		"always":                {1000, appendTo, false},
		"once, in its length":   {1, touch, true},
		"always, in its length": {1000, touch, false},
	} {
		dir := shortDir(t)
		src := filepath.Join(dir, "growing.wav")
		require.NoError(t, os.WriteFile(src, []byte("begin"), 0o600))
		staging := false
		intercept := func(op *retry.Op, next func() error) error {
			err := next()
			if staging && op.Kind == retry.OpWrite && c.changes > 0 {
				c.changes--
				c.change(t, src)
			}
			return err
		}
		synctest.Test(t, func(t *testing.T) {
			root, err := tempdir.Open(t.Context(), filepath.Join(dir, "root"), tempdir.Options{FS: retry.FS{Intercept: intercept}})
			require.NoError(t, err)
			scope, err := root.NewScope(t.Context(), "")
			require.NoError(t, err)
			defer scope.Close()
			staging = true
			staged, err := scope.Stage(t.Context(), src)
			left, globErr := filepath.Glob(scope.Path("*.wav"))
			require.NoError(t, globErr)
			if !c.settles {
				require.ErrorIs(t, err, tempdir.ErrUnsettled, name)
				require.ErrorContains(t, err, src)
				require.Empty(t, left)
				return
			}
			require.NoError(t, err, name)
			now, err := os.ReadFile(src)
			require.NoError(t, err)
			require.Equal(t, sum(now), staged.SHA256)
			require.Equal(t, []string{staged.Path}, left)
		})
	}
}

// touch is what is seen of a change that leaves the length as it is.
func touch(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	later := info.ModTime().Add(2 * time.Second)
	require.NoError(t, os.Chtimes(path, later, later))
}

func appendTo(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("more")
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestStageMissingAndFolder(t *testing.T) {
	scope := newScope(t, openRoot(t))
	missing := filepath.Join(shortDir(t), "missing.wav")
	_, err := scope.Stage(t.Context(), missing)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, missing)
	_, err = scope.Stage(t.Context(), shortDir(t))
	require.ErrorContains(t, err, "not a regular file")
}

func TestStageReader(t *testing.T) {
	scope := newScope(t, openRoot(t))
	staged, err := scope.StageReader(t.Context(), strings.NewReader("upload"), "mp3")
	require.NoError(t, err)
	require.Equal(t, sum([]byte("upload")), staged.SHA256)
	require.Equal(t, ".mp3", filepath.Ext(staged.Path))

	for _, broken := range []error{errors.New("connection lost"), fmt.Errorf("connection lost: %w", io.EOF)} {
		_, err = scope.StageReader(t.Context(), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), ".wav")
		require.ErrorIs(t, err, broken)
		left, err := filepath.Glob(scope.Path("*.wav"))
		require.NoError(t, err)
		require.Empty(t, left, "half an upload is not kept")
	}
}

func TestStageCancelled(t *testing.T) {
	scope := newScope(t, openRoot(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := scope.StageReader(ctx, strings.NewReader("x"), "")
	require.ErrorIs(t, err, context.Canceled)
}

func TestPublish(t *testing.T) {
	scope := newScope(t, openRoot(t))
	require.NoError(t, os.WriteFile(scope.Path("out.txt"), []byte("new"), 0o600))
	dst := filepath.Join(shortDir(t), "out.txt")
	require.NoError(t, os.WriteFile(dst, []byte("old"), 0o600))
	require.NoError(t, scope.Publish(t.Context(), "out.txt", dst))
	got, err := os.ReadFile(dst)
	require.NoError(t, err)
	require.Equal(t, "new", string(got))

	require.ErrorIs(t, scope.Publish(t.Context(), "../x", dst), os.ErrInvalid)
	require.ErrorIs(t, scope.Publish(t.Context(), "absent", dst), os.ErrNotExist)
}

func TestStageKeepsSourceTime(t *testing.T) {
	scope := newScope(t, openRoot(t))
	src := filepath.Join(shortDir(t), "a.wav")
	require.NoError(t, os.WriteFile(src, []byte("x"), 0o600))
	past := time.Now().Add(-time.Hour).Truncate(time.Second)
	require.NoError(t, os.Chtimes(src, past, past))
	_, err := scope.Stage(t.Context(), src)
	require.NoError(t, err)
	info, err := os.Stat(src)
	require.NoError(t, err)
	require.True(t, info.ModTime().Equal(past), "the source is only read")
}
