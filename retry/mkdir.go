package retry

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
)

// MkdirAll creates a directory and its missing parents; each name is durable when it returns nil. What is there
// already stays as it is.
func (s FS) MkdirAll(ctx context.Context, name string) error {
	info, err := s.Stat(ctx, name)
	if err == nil {
		if info.IsDir() {
			return nil
		}
		return failed(Op{Kind: OpMkdir, Path: name, Attempt: 1}, syscall.ENOTDIR)
	}
	if !isNotExist(err) {
		return err
	}
	parent := filepath.Dir(name)
	if parent != name {
		if err := s.MkdirAll(ctx, parent); err != nil {
			return err
		}
	}
	err = s.do(ctx, &call{Op: Op{Kind: OpMkdir, Path: name}, perm: s.dirPerm()})
	if errors.Is(err, fs.ErrExist) {
		if info, statErr := s.Stat(ctx, name); statErr == nil && info.IsDir() {
			err = nil // somebody was faster
		}
	}
	if err != nil {
		return err
	}
	return s.SyncDir(context.WithoutCancel(ctx), parent)
}
