package retry

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Pending is a file that does not exist yet under its name. Commit makes it exist; Close without Commit makes that
// it never did. Until then its content is in a file beside it, named ".holdfast-" and 16 hex digits and ".tmp".
//
//	p, err := files.NewPending(ctx, "out.json")
//	if err != nil { … }
//	defer p.Close()
//	… write to p …
//	return p.Commit(ctx)
type Pending struct {
	*File
	to   string
	done bool // the temporary file is gone
}

// NewPending begins a file that is to replace the one under name. It refuses a name under which there is a directory,
// a device, a pipe or a socket, or a link to one. Another link is replaced itself.
func (s FS) NewPending(ctx context.Context, name string) (*Pending, error) {
	if err := s.checkTarget(ctx, Op{Kind: OpCreate, Path: name, Attempt: 1}, name); err != nil {
		return nil, err
	}
	return s.newPending(ctx, name)
}

func (s FS) newPending(ctx context.Context, name string) (*Pending, error) {
	for {
		var random [8]byte
		rand.Read(random[:])
		temp := filepath.Join(filepath.Dir(name), ".holdfast-"+hex.EncodeToString(random[:])+".tmp")
		f, err := s.Create(ctx, temp)
		if err == nil {
			f.nameUnsynced = false // nobody needs this name after a crash
			return &Pending{File: f, to: name}, nil
		}
		tried, _ := errors.AsType[*Error](err)
		if errors.Is(err, fs.ErrExist) && tried.Attempts == 1 {
			continue // the name is taken
		}
		// A create that was reported as failed can have been done, and then the next try finds the name taken.
		// Nobody else comes by 64 random bits, so the file is ours.
		if tried.Attempts > 0 && !isNotExist(err) {
			_ = s.Remove(context.WithoutCancel(ctx), temp) // mostly it is not there
		}
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		return nil, err
	}
}

// Commit puts the file in its place: synced, renamed over whatever is there, closed, and the folder synced. On an
// error Close removes what is left. Where only closing or the last sync failed the file is in its place, but a power
// cut may still take it back.
func (p *Pending) Commit(ctx context.Context) error {
	return p.commit(ctx, OpReplace)
}

func (p *Pending) commit(ctx context.Context, kind Kind) error {
	if p == nil || p.File == nil || p.done || p.closed {
		return os.ErrClosed
	}
	if ctx.Err() != nil {
		return notTried(ctx, Op{Kind: kind, Path: p.name, To: p.to})
	}
	if err := p.syncContent(); err != nil {
		return err
	}
	mine, err := p.Stat()
	if err != nil {
		return err
	}
	err = p.rename(ctx, Op{Kind: kind, Path: p.name, To: p.to, File: p.File, Attempt: 1})
	closed := p.File.Close()
	if err != nil && !p.arrived(ctx, mine) {
		return err
	}
	p.done = true
	return errors.Join(closed, p.fs.SyncDir(context.WithoutCancel(ctx), filepath.Dir(p.to)))
}

// keptOpen is how long the file stays open while its rename is refused.
const keptOpen = 5 * time.Second

// rename renames the file while it is still open. On Windows our handle, which may write, keeps out every scanner that
// does not share writing: it would have the file exactly when it is to be renamed. Our own handle shares deletion and
// does not hinder. Should a file system see that otherwise, the answer is 32, and the file is closed; after half of
// the budget it is closed in any case.
func (p *Pending) rename(ctx context.Context, op Op) error {
	c := call{Op: op}
	err := p.fs.attempt(&c)
	if err == nil {
		return nil
	}
	start := time.Now()
	return p.fs.Policy.again(ctx, op, err, p.fs.denied, func(attempt int) error {
		if codeOf(err) == codeSharingViolation || time.Since(start) > keptOpen {
			_ = p.File.Close()
		}
		c.Attempt = attempt
		err = p.fs.attempt(&c)
		return err
	})
}

// arrived looks whether a rename that was reported as failed has been done: network file systems do that, and
// so does a repeated try whose first one came through.
func (p *Pending) arrived(ctx context.Context, mine fs.FileInfo) bool {
	there, err := p.fs.Lstat(context.WithoutCancel(ctx), p.to)
	return err == nil && os.SameFile(mine, there)
}

// Close drops a file that was not committed. After Commit it does nothing.
func (p *Pending) Close() error {
	if p == nil || p.File == nil || p.done {
		return nil
	}
	p.done = true
	err := p.File.Close()
	return errors.Join(err, p.fs.Remove(context.Background(), p.name))
}
