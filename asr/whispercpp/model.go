package whispercpp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/internal/ggml"
	"github.com/holdfast-go/holdfast/retry"
)

// modelFile is a model that was checked.
type modelFile struct {
	ggml.Model
	path string
	sum  string      // SHA-256, in hexadecimal
	info fs.FileInfo // by which a change is noticed later
}

// inspectModel walks the model's tables and hashes its bytes. The hash is not
// kept for the next time: a file can be replaced and keep its name, size and
// times, and a transcript that names the wrong model would stay in a journal
// for good. It reads the file at the disk's speed, and the engine then finds it
// in memory.
func inspectModel(ctx context.Context, files retry.FS, path string) (modelFile, error) {
	m := modelFile{path: path}
	f, err := files.Open(ctx, path)
	if err != nil {
		return m, err
	}
	defer f.Close()
	if m.info, err = f.Stat(); err != nil {
		return m, err
	}
	m.Model, err = ggml.Inspect(f, m.info.Size())
	if _, ok := errors.AsType[*ggml.FormatError](err); ok {
		return m, fmt.Errorf("model %s: %w: %w", path, asr.ErrBadModel, err)
	}
	if err != nil {
		return m, err
	}
	sum := sha256.New()
	for {
		_, err := io.CopyN(sum, f, 8<<20)
		switch {
		case errors.Is(err, io.EOF):
			m.sum = hex.EncodeToString(sum.Sum(nil))
			return m, nil
		case err != nil:
			return m, err
		case ctx.Err() != nil:
			return m, context.Cause(ctx)
		}
	}
}

// hold opens the model for as long as the engine reads it. On Windows this
// waits for a scanner that has it open alone, and then keeps it out. The model
// must still be the one that was checked.
func (m modelFile) hold(ctx context.Context, files retry.FS) (*retry.File, error) {
	f, err := files.Open(ctx, m.path)
	if err != nil {
		return nil, err
	}
	now, err := f.Stat()
	if err == nil && !(os.SameFile(now, m.info) && now.Size() == m.info.Size() && now.ModTime().Equal(m.info.ModTime())) {
		err = fmt.Errorf("%w: %s has changed since the engine was opened; open it again", asr.ErrBadModel, m.path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// reachable gives the model under a path that the engine understands. On
// Windows whisper.cpp reads its arguments in the system's code page and takes a
// model's path for UTF-8, so that no path beyond ASCII arrives; such a model
// gets a second name in dir, by a hard link or else a copy. It is done on every
// system, so that it is tested on every system.
func (m modelFile) reachable(ctx context.Context, files retry.FS, dir string) (modelFile, error) {
	if isASCII(m.path) {
		return m, nil
	}
	linked := m
	linked.path = filepath.Join(dir, "model.bin")
	if err := files.Link(ctx, m.path, linked.path); err != nil {
		return m, err
	}
	original, err := m.hold(ctx, files) // it did not change while it was copied
	if err != nil {
		return m, err
	}
	defer original.Close()
	f, err := files.Open(ctx, linked.path)
	if err != nil {
		return m, err
	}
	defer f.Close()
	linked.info, err = f.Stat()
	return linked, err
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// modelName is what people call the model: ggml-tiny.en.bin is tiny.en.
func modelName(path string) string {
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "ggml-"), ".bin")
}
