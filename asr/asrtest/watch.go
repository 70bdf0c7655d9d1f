package asrtest

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-go/holdfast/retry"
)

// watched is a directory in which the engine must write nothing: the home, the
// temporary and the working directory, and the user's recordings.
type watched struct {
	dir     string
	sources string
	before  map[string]string // what lies there, by name
}

// watch makes the directories and sets the environment and the working
// directory to them.
func watch(t *testing.T, dir string) *watched {
	t.Helper()
	w := &watched{dir: dir, sources: filepath.Join(dir, "sources")}
	home, temp, work := filepath.Join(dir, "home"), filepath.Join(dir, "temp"), filepath.Join(dir, "work")
	for _, d := range []string{w.sources, home, temp, work} {
		if err := (retry.FS{}).MkdirAll(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range map[string]string{
		"HOME": home, "USERPROFILE": home,
		"APPDATA": filepath.Join(home, "AppData", "Roaming"), "LOCALAPPDATA": filepath.Join(home, "AppData", "Local"),
		"XDG_CACHE_HOME": filepath.Join(home, ".cache"), "XDG_CONFIG_HOME": filepath.Join(home, ".config"),
		"XDG_DATA_HOME": filepath.Join(home, ".local", "share"), "XDG_STATE_HOME": filepath.Join(home, ".local", "state"),
		"TMPDIR": temp, "TEMP": temp, "TMP": temp,
	} {
		t.Setenv(name, value)
	}
	t.Setenv(mark, dir)
	t.Chdir(work)
	w.before = map[string]string{}
	return w
}

// write makes a user's file, unless it is there.
func (w *watched) write(t *testing.T, path string, content []byte) {
	t.Helper()
	if _, err := (retry.FS{}).Stat(t.Context(), path); err == nil {
		return
	}
	if err := (retry.FS{}).WriteFile(t.Context(), path, content); err != nil {
		t.Fatal(err)
	}
	w.before[path] = describe(path)
}

// changes says what is not as it was. The temporary directories of the tests
// themselves do not count.
func (w *watched) changes(tests string) []string {
	now := list(w.dir)
	var changes []string
	for path, state := range now {
		was, known := w.before[path]
		switch {
		case strings.HasPrefix(path, filepath.Join(w.dir, "temp", tests)):
		case !known:
			changes = append(changes, "created "+path)
		case state != was:
			changes = append(changes, "changed "+path)
		}
	}
	for path := range w.before {
		if _, ok := now[path]; !ok {
			changes = append(changes, "removed "+path)
		}
	}
	slices.Sort(changes)
	return changes
}

// list describes everything below a directory but the directories that the
// suite has made itself.
func list(dir string) map[string]string {
	found := map[string]string{}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return nil
		}
		if d.IsDir() && filepath.Dir(path) == dir {
			return nil
		}
		found[path] = describe(path)
		return nil
	})
	return found
}

// describe tells a file from what it was before.
func describe(path string) string {
	info, err := (retry.FS{}).Stat(context.Background(), path)
	switch {
	case err != nil:
		return "absent"
	case info.IsDir():
		return "a directory"
	}
	return fmt.Sprintf("%d bytes of %v", info.Size(), info.ModTime())
}

// checkOutside runs when everything is closed.
func (s *suite) checkOutside(t *testing.T) {
	for _, change := range s.watched.changes("Test") {
		t.Errorf("outside of the root: %s", change)
	}
}
