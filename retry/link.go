package retry

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
)

// Link gives a file a second name by a hard link, or where that cannot be (another disk, a file system without
// links, another owner's file) by a copy. It fails with fs.ErrExist where to exists. The new name is durable when
// it returns nil; of a hard link the content is so if it was synced before.
//
// Whoever writes to one name of a hard link changes both.
func (s FS) Link(ctx context.Context, from, to string) error {
	err := s.do(ctx, &call{Op: Op{Kind: OpLink, Path: from, To: to}})
	if err == nil {
		return s.SyncDir(context.WithoutCancel(ctx), filepath.Dir(to))
	}
	if !linkImpossible(err) {
		return err
	}
	return s.copyNew(ctx, from, to)
}

func (s FS) copyNew(ctx context.Context, from, to string) error {
	src, err := s.Open(ctx, from)
	if err != nil {
		return err
	}
	defer src.Close()
	p, err := s.newPending(ctx, to) // it replaces nothing
	if err != nil {
		return err
	}
	if _, err := p.ReadFrom(src); err != nil {
		return errors.Join(err, p.Close())
	}
	if err := p.commit(ctx, OpRename); err != nil {
		return errors.Join(err, p.Close())
	}
	return nil
}

// linkImpossible tells "not here" from "not this file".
func linkImpossible(err error) bool {
	switch codeOf(err) {
	case codeInvalidFunction, codeNotSameDevice, codeNotSupported, codeTooManyLinks:
		return true
	}
	// link(2): EPERM where the file system has no links, and with protected_hardlinks for another owner's file.
	for _, errno := range []syscall.Errno{syscall.EXDEV, syscall.EPERM, syscall.ENOTSUP, syscall.EMLINK} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
