package tempdir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Publish copies the file name of the scope to dst, which may lie on another
// volume. At dst there is, at every moment, either what was there before or
// the whole new file; when Publish returns nil it is on disk.
func (s *Scope) Publish(ctx context.Context, name, dst string) (err error) {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("publish %s: not a name inside the scope: %w", name, os.ErrInvalid)
	}
	fs := s.root.opts.FS
	in, err := fs.Open(ctx, s.Path(name))
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := fs.NewPending(ctx, dst)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Commit(ctx)
}
