package retry

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/holdfast-go/holdfast/internal/sysfs"
)

// errBusy is how an interceptor sees a lock that somebody has.
var errBusy = errors.New("somebody has the lock")

// call is an operation as data, with what it needs and what it gives. Were it a closure, every operation would
// allocate it, although nearly none needs a second try.
type call struct {
	Op
	flag    int
	perm    fs.FileMode
	follow  bool
	buf     []byte
	from    io.Reader
	doomed  *sysfs.PendingError // removed already, the name is still there
	opened  *os.File            // result of OpOpen, OpCreate, OpAppend, OpLock; argument of OpUnlock
	moved   int64               // result of OpRead, OpWrite
	info    fs.FileInfo
	entries []fs.DirEntry
	reached bool // run was called: an interceptor may have failed the operation instead
}

// run makes one attempt at the operation itself.
func (c *call) run() error {
	c.reached = true
	var err error
	switch c.Kind {
	case OpOpen, OpCreate, OpAppend:
		c.opened, err = sysfs.OpenFile(c.Path, c.flag, c.perm)
	case OpRead, OpWrite:
		var n int64
		n, err = c.transfer()
		c.moved += n
	case OpTruncate:
		err = c.File.os.Truncate(c.Bytes)
	case OpSync:
		err = c.File.os.Sync()
	case OpClose:
		err = c.File.os.Close()
	case OpStat:
		if c.follow {
			c.info, err = sysfs.Stat(c.Path)
		} else {
			c.info, err = sysfs.Lstat(c.Path)
		}
	case OpReadDir:
		if c.follow {
			c.entries, err = sysfs.ReadDir(c.Path)
		} else {
			c.entries, err = sysfs.ReadDirNoFollow(c.Path)
		}
	case OpMkdir:
		err = sysfs.Mkdir(c.Path, c.perm)
	case OpRename:
		err = sysfs.Rename(c.Path, c.To)
	case OpReplace:
		err = sysfs.Replace(c.Path, c.To)
	case OpLink:
		err = sysfs.Link(c.Path, c.To)
	case OpRemove:
		err = c.remove()
	case OpLock:
		c.opened, err = sysfs.TryLock(c.Path)
		if err == nil && c.opened == nil {
			err = errBusy
		}
	case OpUnlock:
		err = sysfs.Unlock(c.opened)
	case OpSyncDir:
		err = sysfs.SyncDir(c.Path)
	case OpProbe:
		err = sysfs.Probe(c.Path)
	}
	return err
}

// remove removes once; further attempts only wait for the name to go, since by then it may be another file's.
func (c *call) remove() error {
	if c.doomed == nil {
		err := sysfs.Remove(c.Path)
		pending, ok := err.(*sysfs.PendingError)
		if !ok {
			return err
		}
		c.doomed = pending
	} else if c.doomed.Gone() {
		return nil
	}
	return &fs.PathError{Op: "remove", Path: c.Path, Err: codeDeletePending}
}

// do runs a call by the policy; the results are in it afterwards. Nothing here keeps c, so that it stays on the stack.
func (s FS) do(ctx context.Context, c *call) error {
	if ctx.Err() != nil {
		return notTried(ctx, c.Op)
	}
	c.Attempt = 1
	err := s.attempt(c)
	if err == nil {
		return nil
	}
	return s.again(ctx, c, err)
}

// attempt makes one attempt through the interceptor.
func (s FS) attempt(c *call) error {
	if s.Intercept == nil {
		return c.run()
	}
	own := *c
	err := s.intercepted(&own)
	*c = own
	return err
}

func (s FS) intercepted(c *call) error {
	op := c.Op
	err := s.Intercept(&op, func() error {
		c.Bytes = op.Bytes
		return c.run()
	})
	c.Bytes = op.Bytes
	if err != nil && c.opened != nil && c.Kind != OpUnlock {
		c.opened.Close() // opened, but reported as failed
		c.opened = nil
	}
	return err
}

func (s FS) again(ctx context.Context, c *call, first error) error {
	op := c.Op
	if s.Policy.classify(op, first) <= Permanent { // shorter than a loop, and files are often just not there
		return failed(op, first)
	}
	own := *c
	err := s.Policy.again(ctx, op, first, s.denied, func(attempt int) error {
		own.Attempt = attempt
		return s.attempt(&own)
	})
	*c = own
	return err
}

// look is an Lstat of one attempt.
func (s FS) look(name string) (fs.FileInfo, error) {
	c := call{Op: Op{Kind: OpStat, Path: name, Attempt: 1}}
	err := s.attempt(&c)
	return c.info, err
}
