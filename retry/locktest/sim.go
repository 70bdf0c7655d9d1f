package locktest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/retry"
)

// Sim is a directory under the rules of Windows, on every system. Its methods may be called concurrently.
type Sim struct {
	dir   string
	posix bool

	mu      sync.Mutex
	handles []*handle
	doomed  map[string]bool // deleted while open: the name stays until the last handle goes
	ops     []retry.Op
}

// handle is an open file, ours or a holder's.
type handle struct {
	path   string // where the file is now
	opened string // the name that it was opened under
	access Share  // what it does, in the letters of what others would have to share
	share  Share
	mapped bool
	file   *retry.File // of a handle that retry.FS opened
	lock   bool        // of retry.FS.TryLock
	hold   bool        // of Hold: it must be met
	met    bool
}

func (h *handle) ours() bool { return h.file != nil || h.lock }

// New gives a simulated Windows over a fresh temporary directory. At the end of the test it fails where a handle of
// the code under test is still open, and where a [Sim.Hold] was never met by any operation.
func New(t testing.TB) *Sim {
	t.Helper()
	s := Simulate(TempDir(t))
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, h := range s.handles {
			if h.ours() {
				t.Errorf("leaked handle: %s was opened and never closed", h.opened)
			}
			if h.hold && !h.met {
				t.Errorf("the hold on %s was never met: no operation touched the file", h.opened)
			}
		}
		s.handles = nil
		s.finish()
	})
	return s
}

// Simulate is New for programs: a simulated Windows over an existing directory, without checks at the end.
func Simulate(dir string) *Sim {
	return &Sim{dir: dir, doomed: make(map[string]bool)}
}

// POSIX switches to what Windows 10 does on NTFS since 1607: a file is gone once it is deleted, although a handle
// that shares deletion is open, and it can be replaced under such a handle. Without it the model is a FAT volume or
// an old network share.
func (s *Sim) POSIX() *Sim {
	s.posix = true
	return s
}

// Dir is the directory. Relative paths of Hold are taken from here.
func (s *Sim) Dir() string { return s.dir }

// FS gives file operations under the rules. Change its Policy freely.
func (s *Sim) FS() retry.FS {
	return retry.FS{Intercept: s.intercept, Policy: retry.Policy{Holders: s.holders}}
}

// Ops lists all attempts so far.
func (s *Sim) Ops() []retry.Op {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ops)
}

// Hold opens an existing file or directory for reading in the place of another program, until release. It panics
// where Windows would refuse, because the code under test has the file open for writing and share says that nobody may.
func (s *Sim) Hold(path string, share Share) (release func()) {
	h := &handle{path: s.abs(path), access: ShareRead, share: share, hold: true}
	if err := s.take(h); err != nil {
		panic("locktest: hold " + path + ": " + err.Error())
	}
	return func() { s.release(h) }
}

// HoldFor is Hold that ends by itself. It reports whether the file could be opened.
func (s *Sim) HoldFor(path string, share Share, d time.Duration) bool {
	h := &handle{path: s.abs(path), access: ShareRead, share: share}
	if s.take(h) != nil {
		return false
	}
	time.AfterFunc(d, func() { s.release(h) })
	return true
}

// Map maps a file into the memory of another program, until release. The handle is closed, as most programs do.
func (s *Sim) Map(path string) (release func()) {
	h := &handle{path: s.abs(path), share: ShareAll, mapped: true, hold: true}
	if err := s.take(h); err != nil {
		panic("locktest: map " + path + ": " + err.Error())
	}
	return func() { s.release(h) }
}

func (s *Sim) take(h *handle) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.opened = h.path
	if _, err := os.Lstat(h.path); err != nil {
		return err
	}
	if s.doomed[h.path] {
		return AccessDenied
	}
	if err := s.conflict(h.path, h.access, h.share); err != nil {
		return err
	}
	s.handles = append(s.handles, h)
	return nil
}

func (s *Sim) release(h *handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A hold that was released has done its part: it was the test's will.
	s.handles = slices.DeleteFunc(s.handles, func(o *handle) bool { return o == h })
	s.finish()
}

// finish lets go the names that only waited for a handle.
func (s *Sim) finish() {
	for path := range s.doomed {
		if !slices.ContainsFunc(s.handles, func(h *handle) bool { return h.path == path }) {
			delete(s.doomed, path)
			_ = os.Remove(path)
		}
	}
}

// conflict is the table of share modes: everybody must share what the others do. Meeting a handle marks it.
func (s *Sim) conflict(path string, access, share Share) error {
	var err error
	for _, h := range s.handles {
		if h.path != path {
			continue
		}
		h.met = true
		if access&^h.share != 0 || h.access&^share != 0 {
			err = SharingViolation
		}
	}
	return err
}

// open reports whether anybody has path open.
func (s *Sim) open(path string) bool {
	return slices.ContainsFunc(s.handles, func(h *handle) bool { return h.path == path })
}

func (s *Sim) mapped(path string) bool {
	return slices.ContainsFunc(s.handles, func(h *handle) bool { return h.path == path && h.mapped })
}

// pinned reports whether something below a directory is open.
func (s *Sim) pinned(dir string) bool {
	pinned := false
	for _, h := range s.handles {
		if strings.HasPrefix(h.path, dir+string(filepath.Separator)) {
			h.met, pinned = true, true
		}
	}
	return pinned
}

func (s *Sim) abs(path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.dir, path)
	}
	return filepath.Clean(path)
}

// holders answers in the place of the Restart Manager.
func (s *Sim) holders(_ context.Context, paths ...string) ([]retry.Holder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []retry.Holder
	for _, path := range paths {
		for _, h := range s.handles {
			if h.path != clean(path) {
				continue
			}
			holder := retry.Holder{PID: 4242, Name: "scanner.exe"}
			if h.ours() {
				holder = retry.Holder{PID: os.Getpid(), Name: "this.exe", Self: true}
			}
			found = append(found, holder)
		}
	}
	return found, nil
}

// clean is the path of an operation, which is relative to the working directory.
func clean(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path)
}
