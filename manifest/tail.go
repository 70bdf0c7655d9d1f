package manifest

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/holdfast-go/holdfast/retry"
)

// tail is the end of a journal's file, where records are added.
type tail struct {
	fs   retry.FS
	path string
	file *retry.File // nil: it is not there yet or not to be trusted, see renew
	size int64       // up to here everything is whole and durable
	sum  uint32      // of these bytes
	next uint64      // the number of the next record
	buf  []byte
}

// add makes records durable, all or none of them.
func (t *tail) add(ctx context.Context, items []item) error {
	t.buf = t.buf[:0]
	n := t.next
	for i := range items {
		items[i].n = n
		t.buf = appendRecord(t.buf, items[i].body, n)
		n++
	}
	if err := t.write(ctx); err != nil {
		return fmt.Errorf("journal: the result is not saved: %w", err)
	}
	t.size += int64(len(t.buf))
	t.sum = crc32.Update(t.sum, crc32.IEEETable, t.buf)
	t.next = n
	return nil
}

func (t *tail) write(ctx context.Context) error {
	if t.file == nil {
		return t.renew(ctx)
	}
	if _, err := t.file.Write(t.buf); err != nil {
		// Half a line may be there. Unless it can be taken back, nothing
		// may be written behind it.
		if undo := t.file.Truncate(t.size); undo != nil {
			_ = t.close()
		}
		return err
	}
	return t.sync(ctx)
}

func (t *tail) sync(ctx context.Context) error {
	err := t.file.Sync()
	if err == nil {
		return nil
	}
	// The system may have dropped what was written and report success the
	// next time. So this file is not synced again: a new one takes its place.
	_ = t.close()
	if renewed := t.renew(ctx); renewed != nil {
		return errors.Join(err, renewed)
	}
	return nil
}

// renew puts a new file in the place of the old, or of none: the records that
// were durable, and those in buf.
func (t *tail) renew(ctx context.Context) error {
	p, err := t.fs.NewPending(ctx, t.path)
	if err != nil {
		return err
	}
	if t.size > 0 {
		err = t.copyTo(ctx, p)
	}
	if err == nil {
		_, err = p.Write(t.buf)
	}
	if err == nil {
		err = p.Commit(ctx)
	}
	if err := errors.Join(err, p.Close()); err != nil {
		return err
	}
	// Everything is on disk. If the file cannot be opened now, the next
	// record makes another new one.
	t.reopen(ctx)
	return nil
}

// copyTo copies the durable records, if the file still has them.
func (t *tail) copyTo(ctx context.Context, w io.Writer) error {
	old, err := t.fs.Open(ctx, t.path)
	if err != nil {
		return err
	}
	defer old.Close() // read only
	sum, err := sumOf(io.TeeReader(io.LimitReader(old, t.size), w), t.size)
	if err == nil && sum != t.sum {
		err = fmt.Errorf("%s no longer says what was written to it: publish the records elsewhere", t.path)
	}
	return err
}

func (t *tail) reopen(ctx context.Context) {
	f, err := t.fs.OpenAppend(ctx, t.path)
	if err != nil {
		return
	}
	info, err := f.Stat()
	if err != nil || info.Size() != t.size+int64(len(t.buf)) {
		_ = f.Close()
		return
	}
	t.file = f
}

func (t *tail) close() error {
	f := t.file
	t.file = nil
	return f.Close() // a nil file too
}
