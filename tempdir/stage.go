package tempdir

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/retry"
)

// Staged is a private copy of a file inside a scope.
type Staged struct {
	Path   string // a safe name inside the scope
	Size   int64  // bytes
	SHA256 string // of the staged bytes, in hexadecimal
}

// ErrUnsettled means that a source changed each time it was copied: another
// program is still writing it.
var ErrUnsettled = errors.New("file is still being written to; try again when it is complete")

// Stage copies the file src into the scope, under a random name with src's
// extension. Where the file system shares blocks between files (xfs, btrfs)
// nothing is copied. A source that changes meanwhile is copied again; one that
// keeps changing gives [ErrUnsettled]. The source itself is only read, and a
// symbolic link is followed.
func (s *Scope) Stage(ctx context.Context, src string) (Staged, error) {
	pause := 50 * time.Millisecond
	for range 4 {
		staged, err := s.stageOnce(ctx, src)
		if !errors.Is(err, ErrUnsettled) {
			return staged, err
		}
		select {
		case <-time.After(pause):
			pause *= 4
		case <-ctx.Done():
			return Staged{}, fmt.Errorf("stage %s: %w", src, context.Cause(ctx))
		}
	}
	return Staged{}, fmt.Errorf("stage %s: %w", src, ErrUnsettled)
}

func (s *Scope) stageOnce(ctx context.Context, src string) (Staged, error) {
	// Stat first: to open a named pipe would wait for its writer.
	info, err := s.root.opts.FS.Stat(ctx, src)
	if err != nil {
		return Staged{}, err
	}
	if !info.Mode().IsRegular() {
		return Staged{}, fmt.Errorf("stage %s: it is not a regular file (%v)", src, info.Mode().Type())
	}
	in, err := s.root.opts.FS.Open(ctx, src)
	if err != nil {
		return Staged{}, err
	}
	defer in.Close()
	before, err := in.Stat()
	if err != nil {
		return Staged{}, err
	}
	staged, err := s.copyIn(ctx, in, filepath.Ext(src))
	if err != nil {
		return Staged{}, err
	}
	after, err := in.Stat()
	if err == nil && (after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) || staged.Size != before.Size()) {
		err = ErrUnsettled
	}
	if err != nil {
		return Staged{}, errors.Join(err, s.discard(ctx, staged.Path))
	}
	return staged, nil
}

// StageReader copies what r gives into the scope. The extension, with or
// without its dot, is kept if it is plain. A reader that fails leaves nothing.
func (s *Scope) StageReader(ctx context.Context, r io.Reader, ext string) (Staged, error) {
	return s.copyIn(ctx, r, ext)
}

// copyIn makes the staged file. It is not synced: after a power cut it is
// staged again.
func (s *Scope) copyIn(ctx context.Context, r io.Reader, ext string) (staged Staged, err error) {
	out, err := s.createStaged(ctx, safeExt(ext))
	if err != nil {
		return Staged{}, err
	}
	staged.Path = out.Name()
	defer func() {
		err = errors.Join(err, out.Close())
		if err != nil {
			err = errors.Join(err, s.discard(ctx, staged.Path))
			staged = Staged{}
		}
	}()
	sum := newTail(out)
	defer sum.stop()
	for {
		if err := ctx.Err(); err != nil {
			return staged, fmt.Errorf("stage %s: %w", staged.Path, context.Cause(ctx))
		}
		n, err := io.CopyN(out, r, chunk)
		staged.Size += n
		sum.grow(n)
		if err == io.EOF { // CopyN's own; an error of r that wraps it is a failure
			break
		}
		if err != nil {
			return staged, err
		}
	}
	staged.SHA256, err = sum.hex()
	return staged, err
}

func (s *Scope) createStaged(ctx context.Context, ext string) (*retry.File, error) {
	for {
		f, err := s.root.opts.FS.Create(ctx, s.Path(randomID()+randomID()+ext))
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

func (s *Scope) discard(ctx context.Context, path string) error {
	return s.root.opts.FS.Remove(context.WithoutCancel(ctx), path)
}

// safeExt keeps an extension that no engine and no shell can misread.
func safeExt(ext string) string {
	ext = strings.ToLower(strings.TrimPrefix(ext, "."))
	if ext == "" || len(ext) > 5 || strings.Trim(ext, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return ".bin"
	}
	return "." + ext
}

// chunk is how far the hash may lag behind the copy, and a multiple of every
// block size, so that block-sharing copies stay possible.
const chunk = 4 << 20

// tail hashes a file while it grows, in a goroutine of its own: what is hashed
// is the staged file, not the source, and copying and hashing overlap.
type tail struct {
	file  io.ReaderAt
	grown chan int64
	done  chan struct{}
	sum   hash.Hash
	err   error
}

func newTail(file io.ReaderAt) *tail {
	t := &tail{file: file, grown: make(chan int64, 1), done: make(chan struct{}), sum: sha256.New()}
	go t.run(t.grown)
	return t
}

func (t *tail) run(grown <-chan int64) {
	defer close(t.done)
	var at int64
	buf := make([]byte, 256<<10)
	for n := range grown {
		if t.err == nil {
			_, t.err = io.CopyBuffer(struct{ io.Writer }{t.sum}, io.NewSectionReader(t.file, at, n), buf)
		}
		at += n
	}
}

func (t *tail) grow(n int64) {
	if n > 0 {
		t.grown <- n
	}
}

// hex waits for the hash of all that grow was told of.
func (t *tail) hex() (string, error) {
	t.stop()
	return hex.EncodeToString(t.sum.Sum(nil)), t.err
}

func (t *tail) stop() {
	if t.grown != nil {
		close(t.grown)
		t.grown = nil
		<-t.done
	}
}
