package manifest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"time"

	"github.com/holdfast-go/holdfast/internal/jsonl"
	"github.com/holdfast-go/holdfast/retry"
)

// Record is what a journal keeps under a key.
type Record struct {
	Key   string
	Entry Entry
}

// followEvery is how often Follow looks for more.
const followEvery = 250 * time.Millisecond

// Follow yields the records of a journal while somebody else writes it, from
// the first one on and then as they come, until ctx ends: its error is the
// last. A journal that is not there yet is waited for. A [*LineError] is a
// damaged line, and reading goes on.
//
// No file is open while Follow waits or yields. It may yield a record just
// before the writer's Append returns, or one whose writing then fails. When
// the writer had to take such a record back, all are yielded again.
func Follow(ctx context.Context, path string, o Options) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		f := follower{path: path, fs: o.FS, maxLine: o.maxLine()}
		for {
			found, err := f.poll(ctx)
			for _, one := range found {
				if !yield(one.record, one.err) {
					return
				}
			}
			if err == nil && len(found) > 0 {
				continue // there may be more already
			}
			if err == nil {
				err = pause(ctx, followEvery)
			}
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

type follower struct {
	path    string
	fs      retry.FS
	maxLine int
	offset  int64  // up to here everything was yielded
	last    []byte // the last line before offset, to notice that it changed
	line    int
}

type followed struct {
	record Record
	err    error
}

// followChunk bounds what one poll holds in memory.
const followChunk = 1000

// poll reads the whole lines behind offset, at most followChunk of them.
func (f *follower) poll(ctx context.Context) ([]followed, error) {
	file, err := f.fs.Open(ctx, f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	defer file.Close() // read only
	back := int64(len(f.last))
	lines := jsonl.NewLines(io.NewSectionReader(file, f.offset-back, 1<<62), f.maxLine)
	if back > 0 && !(lines.Next() && string(lines.Bytes())+"\n" == string(f.last)) {
		*f = follower{path: f.path, fs: f.fs, maxLine: f.maxLine}
		lines = jsonl.NewLines(io.NewSectionReader(file, 0, 1<<62), f.maxLine)
		back = 0
	}
	start := f.offset - back
	var found []followed
	for len(found) < followChunk && lines.Next() && lines.Terminated() {
		f.line++
		f.offset = start + lines.End()
		f.last = append(append(f.last[:0], lines.Bytes()...), '\n') // of a line that is too long the newline
		line := jsonl.Trim(lines.Bytes(), f.line)
		if len(line) == 0 && !lines.TooLong() {
			continue
		}
		found = append(found, f.parse(line, lines.TooLong()))
	}
	if err := lines.Err(); err != nil {
		return found, fmt.Errorf("journal %s: %w", f.path, err)
	}
	return found, nil
}

func (f *follower) parse(line []byte, tooLong bool) followed {
	if tooLong {
		return followed{err: newLineError(f.path, f.line, line, fmt.Errorf("longer than %d bytes, the limit in Options.MaxLine", f.maxLine))}
	}
	r, err := parseRecord(line)
	if err != nil {
		return followed{err: newLineError(f.path, f.line, line, err)}
	}
	return followed{record: Record{Key: r.key, Entry: r.entry}}
}
