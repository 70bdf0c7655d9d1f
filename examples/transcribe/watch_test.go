package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// looker looks at a folder at times that the test decides.
type looker struct {
	t    *testing.T
	w    *watcher
	now  time.Time
	held []error
}

func newLooker(t *testing.T, dir string, files retry.FS) *looker {
	t.Helper()
	l := &looker{t: t, now: time.Unix(1_700_000_000, 0)}
	w, err := watch(dir, files, func(err error) { l.held = append(l.held, err) })
	require.NoError(t, err)
	t.Cleanup(w.close)
	l.w = w
	return l
}

// after looks once, after a while.
func (l *looker) after(d time.Duration) (names []string) {
	l.t.Helper()
	l.now = l.now.Add(d)
	for _, path := range l.w.look(l.t.Context(), l.now) {
		name, err := filepath.Rel(l.w.dir, path)
		require.NoError(l.t, err)
		names = append(names, filepath.ToSlash(name))
	}
	return names
}

func put(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

func TestTakesWhatIsStill(t *testing.T) {
	dir := t.TempDir()
	l := newLooker(t, dir, retry.FS{})
	require.Empty(t, l.after(0), "an empty folder is no failure")
	put(t, filepath.Join(dir, "b.wav"), "1")
	put(t, filepath.Join(dir, "a.mp4"), "1")
	put(t, filepath.Join(dir, "note.txt"), "1")
	put(t, filepath.Join(dir, ".hidden.wav"), "1")
	require.Empty(t, l.after(time.Hour), "a time of long ago says nothing: copies keep it")
	require.Empty(t, l.after(1900*time.Millisecond))
	require.Equal(t, []string{"a.mp4", "b.wav"}, l.after(100*time.Millisecond))
	require.Empty(t, l.after(time.Hour), "once")
}

func TestWaitsForWhatGrows(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.wav")
	l := newLooker(t, dir, retry.FS{})
	put(t, path, "")
	for range 5 {
		require.Empty(t, l.after(3*time.Second), "an empty file is about to be filled")
	}
	content := ""
	for range 5 {
		content += "x"
		put(t, path, content)
		require.Empty(t, l.after(1900*time.Millisecond))
	}
	// The same size, but written again.
	require.NoError(t, os.Chtimes(path, l.now, l.now.Add(time.Minute)))
	require.Empty(t, l.after(1900*time.Millisecond))
	require.Empty(t, l.after(1900*time.Millisecond))
	require.Equal(t, []string{"a.wav"}, l.after(200*time.Millisecond))

	// It is replaced by another recording.
	put(t, path, "something else")
	require.Empty(t, l.after(0))
	require.Equal(t, []string{"a.wav"}, l.after(settleTime))

	// It goes, and comes back.
	require.NoError(t, os.Remove(path))
	require.Empty(t, l.after(0))
	put(t, path, "something else")
	require.Empty(t, l.after(0))
	require.Equal(t, []string{"a.wav"}, l.after(settleTime))
}

func TestFoldersThatAreMovedIn(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "in")
	require.NoError(t, os.Mkdir(dir, 0o700))
	l := newLooker(t, dir, retry.FS{})
	put(t, filepath.Join(base, "talks", "monday", "1.wav"), "1")
	put(t, filepath.Join(base, "talks", "2.wav"), "2")
	require.NoError(t, os.Rename(filepath.Join(base, "talks"), filepath.Join(dir, "talks")))
	require.Empty(t, l.after(0))
	require.Equal(t, []string{"talks/2.wav", "talks/monday/1.wav"}, l.after(settleTime))
}

// A share that drops out for a while is told, once, and what was taken from it
// is not taken again.
func TestFolderThatGoesForAWhile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "in")
	put(t, filepath.Join(dir, "a.wav"), "1")
	l := newLooker(t, dir, retry.FS{})
	require.Empty(t, l.after(0))
	require.Equal(t, []string{"a.wav"}, l.after(settleTime))
	for range 2 {
		require.NoError(t, os.Rename(dir, dir+"-gone"))
		require.Empty(t, l.after(time.Hour))
		require.Empty(t, l.after(time.Hour))
		require.NoError(t, os.Rename(dir+"-gone", dir))
		require.Empty(t, l.after(0))
		require.Empty(t, l.after(settleTime))
	}
	require.Len(t, l.held, 2, "once each time")
	require.ErrorIs(t, l.held[0], fs.ErrNotExist)
}

// Under the rules of Windows a file that is written to cannot be opened.
func TestWaitsForWhatIsHeld(t *testing.T) {
	sim := locktest.New(t)
	put(t, filepath.Join(sim.Dir(), "a.wav"), "1")
	put(t, filepath.Join(sim.Dir(), "b.wav"), "1")
	release := sim.Hold("a.wav", locktest.ShareNone)
	l := newLooker(t, sim.Dir(), sim.FS())
	require.Empty(t, l.after(0))
	require.Equal(t, []string{"b.wav"}, l.after(settleTime))
	require.Empty(t, l.held)
	for range 3 {
		require.Empty(t, l.after(heldLong))
	}
	require.Len(t, l.held, 1, "it is told once")
	require.ErrorContains(t, l.held[0], "used by another process")
	release()
	require.Equal(t, []string{"a.wav"}, l.after(0))
}

func TestWatchRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.wav")
	put(t, file, "1")
	_, err := watch(file, retry.FS{}, nil)
	require.ErrorContains(t, err, "not a folder")
	_, err = watch(file+"y", retry.FS{}, nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
}
