package tempdir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/host"
	"github.com/holdfast-go/holdfast/retry"
)

// Scope is one job's directory. It is locked while the process that made it
// lives, and safe for concurrent use.
type Scope struct {
	root   *Root
	dir    string
	owner  owner
	unlock func() error

	mu     sync.Mutex
	closed bool
	left   []string
}

// Directories that every scope has.
const (
	tempName = "t"    // the child's temporary directory
	homeName = "home" // the child's home directory
)

// NewScope makes a locked, private directory in the root. The label goes into
// the owner's record and nowhere else; any text will do.
func (r *Root) NewScope(ctx context.Context, label string) (*Scope, error) {
	for range 100 {
		s, err := r.newScope(ctx, randomID(), label)
		if !errors.Is(err, errTaken) {
			return s, err
		}
	}
	return nil, fmt.Errorf("tempdir %s: no free name for a scope: %w", r.dir, errTaken)
}

var errTaken = errors.New("name is taken")

func (r *Root) newScope(ctx context.Context, id, label string) (*Scope, error) {
	fs := r.opts.FS
	dir := filepath.Join(r.dir, scopesName, id)
	if _, err := fs.Lstat(ctx, dir); err == nil {
		return nil, errTaken
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	unlock, ok, err := fs.TryLock(ctx, dir+".lock")
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errTaken
	}
	s := &Scope{root: r, dir: dir, unlock: unlock, owner: owner{Process: host.Self(), Label: label, Created: time.Now().UTC()}}
	if err := s.create(ctx); err != nil {
		return nil, errors.Join(err, s.abandon(ctx))
	}
	return s, nil
}

// create writes the record before the directory, so that a sweep never meets
// a directory without one.
func (s *Scope) create(ctx context.Context) error {
	fs := s.root.opts.FS
	// A sweep may have removed the lock file between its creation and the
	// lock; then we hold a file that has no name.
	if _, err := fs.Lstat(ctx, s.dir+".lock"); errors.Is(err, os.ErrNotExist) {
		return errTaken
	} else if err != nil {
		return err
	}
	if err := s.record(ctx); err != nil {
		return err
	}
	for _, name := range []string{tempName, homeName} {
		if err := fs.MkdirAll(ctx, filepath.Join(s.dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// record writes the owner's record, plainly: half of one is as good to a sweep
// as none, and a kill leaves no temporary file.
func (s *Scope) record(ctx context.Context) error {
	f, err := s.root.opts.FS.Create(ctx, s.dir+".json")
	if errors.Is(err, os.ErrExist) {
		return errTaken // a sweep could not remove it, but its directory
	}
	if err != nil {
		return err
	}
	_, err = f.Write(s.owner.encode())
	return errors.Join(err, f.Close())
}

// abandon undoes a failed create.
func (s *Scope) abandon(ctx context.Context) error {
	return removeScope(context.WithoutCancel(ctx), s.root.opts.FS, s.dir, s.unlock)
}

// removeScope removes a scope whose lock the caller holds, and gives the lock
// back in any case. The directory goes first, so that what cannot be removed
// keeps its record for the next sweep; the lock's file goes after the lock,
// because without POSIX deletion Windows keeps a name until its last handle is
// closed. Who takes the lock in between finds nothing and removes it too.
func removeScope(ctx context.Context, fs retry.FS, dir string, unlock func() error) error {
	err := fs.RemoveAll(ctx, dir)
	if err == nil {
		err = fs.Remove(ctx, dir+".json")
	}
	unlocked := unlock()
	if err == nil {
		err = fs.Remove(ctx, dir+".lock")
	}
	return errors.Join(err, unlocked)
}

// Path joins elem to the scope's directory.
func (s *Scope) Path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// Keep leaves the directory where it is when the scope is closed, so that
// somebody can look into it. A sweep takes it after Options.MaxAge.
func (s *Scope) Keep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owner.Kept = true
}

// Close removes the directory and gives the lock back. It has no error,
// because cleaning up never fails a job: what another program holds is left to
// the next Sweep, and its paths (16 at most) are returned. Close again returns
// the same.
func (s *Scope) Close() (left []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return s.left
	}
	s.closed = true
	ctx := context.Background()
	fs := s.root.opts.FS
	if !s.owner.Kept {
		err := removeScope(ctx, fs, s.dir, s.unlock)
		if err == nil {
			return nil
		}
		s.left = leftovers(s.dir, err)
		s.owner.Left = true
		s.root.opts.logger().Warn("scope is left to the next sweep", "scope", s.dir, "err", err)
	}
	// The process may live on; so the record says that the scope does not.
	if err := fs.WriteFile(ctx, s.dir+".json", s.owner.encode()); err != nil {
		s.root.opts.logger().Warn("scope's record", "scope", s.dir, "err", err)
	}
	if err := s.unlock(); err != nil {
		s.root.opts.logger().Warn("scope's lock", "scope", s.dir, "err", err)
	}
	return s.left
}

func leftovers(dir string, err error) []string {
	if left, ok := errors.AsType[*retry.LeftoverError](err); ok {
		return left.Paths
	}
	return []string{dir}
}
