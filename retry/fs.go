package retry

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// FS does file operations by a policy. The zero value works on the real files with the default policy. It is a
// value: copy and change it freely. It is safe for concurrent use.
type FS struct {
	Policy Policy
	// Intercept, where it is set, sees every attempt.
	Intercept Interceptor
	// Public gives new files and directories the permissions that other programs give, 0666 and 0777 less the
	// umask, instead of 0600 and 0700. It is for results that a user is to share.
	Public bool
}

func (s FS) perm() fs.FileMode {
	if s.Public {
		return 0o666
	}
	return 0o600
}

func (s FS) dirPerm() fs.FileMode {
	if s.Public {
		return 0o777
	}
	return 0o700
}

// Open opens a file or directory for reading. On Windows it shares everything, so that it never blocks anybody.
// ctx is for the opening only.
func (s FS) Open(ctx context.Context, name string) (*File, error) {
	return s.open(ctx, call{Op: Op{Kind: OpOpen, Path: name}, flag: os.O_RDONLY})
}

// Create creates a file for reading and writing, and fails with fs.ErrExist where the name is taken. The first
// [File.Sync] makes its name durable too.
func (s FS) Create(ctx context.Context, name string) (*File, error) {
	f, err := s.open(ctx, call{Op: Op{Kind: OpCreate, Path: name}, flag: os.O_RDWR | os.O_CREATE | os.O_EXCL, perm: s.perm()})
	if err == nil {
		f.nameUnsynced = true
	}
	return f, err
}

// OpenAppend opens a file for reading and writing, and creates it where it is missing. Read begins at the start,
// Write always goes to the end, which is where this handle put it: one writer at a time, see [FS.TryLock]. The first
// [File.Sync] makes the file's name durable too.
func (s FS) OpenAppend(ctx context.Context, name string) (*File, error) {
	f, err := s.open(ctx, call{Op: Op{Kind: OpAppend, Path: name}, flag: os.O_RDWR | os.O_CREATE, perm: s.perm()})
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	f.appends, f.end = true, info.Size()
	f.nameUnsynced = true // also where it was there: its creator may have died before it synced the folder
	return f, nil
}

func (s FS) open(ctx context.Context, c call) (*File, error) {
	f := &File{fs: s, name: c.Path}
	c.File = f
	if err := s.do(ctx, &c); err != nil {
		return nil, err
	}
	f.os = c.opened
	return f, nil
}

// ReadFile reads a whole file.
func (s FS) ReadFile(ctx context.Context, name string) ([]byte, error) {
	f, err := s.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	f.ctx = ctx
	data, err := f.readAll()
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return data, nil
}

// WriteFile puts data under name: whole or not at all, also for readers and after a crash, and durable when it
// returns nil. On an error the old file is mostly still there; where only the last step failed, making the new
// name durable, it is the new one. What is there and is no file is refused, see [FS.NewPending].
func (s FS) WriteFile(ctx context.Context, name string, data []byte) error {
	p, err := s.NewPending(ctx, name)
	if err != nil {
		return err
	}
	p.ctx = ctx
	if _, err := p.Write(data); err != nil {
		return errors.Join(err, p.Close())
	}
	if err := p.Commit(ctx); err != nil {
		return errors.Join(err, p.Close())
	}
	return nil
}

// Rename renames a file or directory, and fails with fs.ErrExist where to exists. The new name is durable when it
// returns nil.
func (s FS) Rename(ctx context.Context, from, to string) error {
	return s.move(ctx, Op{Kind: OpRename, Path: from, To: to})
}

// Replace renames a file in place of another, which is never removed first: at every moment to is the old or the
// new file. The new name is durable when it returns nil; the content is so if it was synced before.
//
// It refuses a target that is a directory, a device, a pipe or a socket, or a link to one. Another link is replaced
// itself.
//
// Where both are names of one file, Unix does nothing (rename(2)), and from stays.
//
// Where somebody has to open, Windows refuses; that is tried again as a lock, unless to is read-only.
func (s FS) Replace(ctx context.Context, from, to string) error {
	op := Op{Kind: OpReplace, Path: from, To: to}
	if err := s.checkTarget(ctx, op, to); err != nil {
		return err
	}
	return s.move(ctx, op)
}

func (s FS) move(ctx context.Context, op Op) error {
	if err := s.do(ctx, &call{Op: op}); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // it is done, now it has to last
	if err := s.SyncDir(ctx, filepath.Dir(op.To)); err != nil {
		return err
	}
	if old := filepath.Dir(op.Path); old != filepath.Dir(op.To) {
		return s.SyncDir(ctx, old)
	}
	return nil
}

// Remove removes a file, a link or an empty directory, and returns when the name is gone. Read-only files are
// removed too. An absent name is a success.
func (s FS) Remove(ctx context.Context, name string) error {
	err := s.do(ctx, &call{Op: Op{Kind: OpRemove, Path: name}})
	if isNotExist(err) {
		return nil
	}
	return err
}

// Stat describes a file and follows links.
func (s FS) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	c := call{Op: Op{Kind: OpStat, Path: name}, follow: true}
	err := s.do(ctx, &c)
	return c.info, err
}

// Lstat describes a file or the link itself.
func (s FS) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	c := call{Op: Op{Kind: OpStat, Path: name}}
	err := s.do(ctx, &c)
	return c.info, err
}

// ReadDir lists a directory in the order of names.
func (s FS) ReadDir(ctx context.Context, name string) ([]fs.DirEntry, error) {
	c := call{Op: Op{Kind: OpReadDir, Path: name}, follow: true}
	err := s.do(ctx, &c)
	return c.entries, err
}

// SyncDir makes the names in a directory durable. It is not tried again. Where the system has no such thing it
// does nothing.
func (s FS) SyncDir(ctx context.Context, name string) error {
	return s.do(ctx, &call{Op: Op{Kind: OpSyncDir, Path: name}})
}

// TryLock takes an exclusive lock on a file, which is created where it is missing and stays there. ok is false where
// somebody has the lock, be it in this process. The lock is advisory and ends with unlock or with the process;
// after a killed process Windows may take a moment to release it. A child that inherits the handle would keep it;
// Go's handles are not inherited.
func (s FS) TryLock(ctx context.Context, name string) (unlock func() error, ok bool, err error) {
	c := call{Op: Op{Kind: OpLock, Path: name}}
	err = s.do(ctx, &c)
	if errors.Is(err, errBusy) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	held := c.opened
	return func() error {
		if held == nil {
			return nil
		}
		c := call{Op: Op{Kind: OpUnlock, Path: name, Attempt: 1}, opened: held}
		held = nil
		err := s.attempt(&c) // not tried again: the handle is gone either way
		if !c.reached {
			_ = c.run()
		}
		if err != nil {
			return failed(c.Op, err)
		}
		return nil
	}, true, nil
}
