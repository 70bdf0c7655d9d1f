package manifest

import (
	"context"
	"errors"
	"iter"
	"os"

	"github.com/holdfast-go/holdfast/retry"
)

// Save writes a manifest: whole or not at all, and durable when it returns
// nil. A file that is there is replaced.
func Save(ctx context.Context, path string, entries iter.Seq[Entry], o Options) error {
	w, err := Create(ctx, path, o)
	if err != nil {
		return err
	}
	defer w.Close() // where entries panics
	for e := range entries {
		if err = w.Write(e); err != nil {
			break
		}
	}
	if err == nil {
		err = w.Commit(ctx)
	}
	return errors.Join(err, w.Close())
}

// Writer writes a manifest that exists from Commit on, and not before.
//
//	w, err := manifest.Create(ctx, path, manifest.Options{})
//	if err != nil { … }
//	defer w.Close()
//	… w.Write(entry) …
//	return w.Commit(ctx)
//
// It is not safe for concurrent use.
type Writer struct {
	file *retry.Pending
	buf  []byte
	err  error // the first: after it entries are missing
}

const writeBuffer = 64 << 10

// Create begins a manifest.
func Create(ctx context.Context, path string, o Options) (*Writer, error) {
	file, err := o.FS.NewPending(ctx, path)
	if err != nil {
		return nil, err
	}
	return &Writer{file: file, buf: make([]byte, 0, writeBuffer)}, nil
}

// Write adds an entry. After an error it and Commit give that error again.
func (w *Writer) Write(e Entry) error {
	w.buf = append(e.AppendJSON(w.buf), '\n')
	if len(w.buf) < writeBuffer && w.err == nil {
		return nil
	}
	return w.flush()
}

func (w *Writer) flush() error {
	switch {
	case w.file == nil:
		return os.ErrClosed
	case w.err == nil:
		_, w.err = w.file.Write(w.buf)
	}
	w.buf = w.buf[:0]
	return w.err
}

// Commit makes the manifest exist under its name, durably.
func (w *Writer) Commit(ctx context.Context) error {
	if err := w.flush(); err != nil {
		return err
	}
	return w.file.Commit(ctx)
}

// Close drops a manifest that was not committed. After Commit it does nothing.
func (w *Writer) Close() error {
	return w.file.Close()
}
