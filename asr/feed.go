package asr

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/holdfast-go/holdfast/manifest"
)

// feeder makes jobs of the input.
type feeder struct {
	*runner
	source *source // the recording that was prepared last
	files  int     // made so far; numbers their names
	batch  []task  // the next one
	total  int
	ended  error // of the input
}

// maxAhead is how many outcomes that need no engine may wait for a worker.
const maxAhead = 64

// run ends when the input does, or ctx.
func (f *feeder) run(ctx context.Context, in iter.Seq2[manifest.Entry, error]) {
	for entry, err := range in {
		if ctx.Err() != nil {
			break
		}
		f.total++
		if err == nil {
			f.take(ctx, entry)
		} else if failed := inputFailure(err); failed != nil {
			f.pass(ctx, outcome{failed: failed})
		} else {
			f.ended = err
			break
		}
	}
	f.send(ctx)
	f.release()
}

// inputFailure gives an error of the input that concerns one entry alone.
func inputFailure(err error) *UtteranceError {
	if failed, ok := errors.AsType[*UtteranceError](err); ok {
		return failed
	}
	if line, ok := errors.AsType[*manifest.LineError](err); ok {
		return &UtteranceError{Err: line}
	}
	return nil
}

// take brings one entry into the next batch, or settles it.
func (f *feeder) take(ctx context.Context, entry manifest.Entry) {
	for {
		err := f.prepare(ctx, entry)
		same, waits := errors.AsType[*busyError](err)
		if waits {
			f.send(ctx)
			select {
			case <-same.done:
				continue
			case <-ctx.Done():
				return
			}
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		failed, ok := errors.AsType[*UtteranceError](err)
		if !ok {
			failed = &UtteranceError{Path: entry.AudioPath, Err: err}
		}
		f.pass(ctx, outcome{failed: failed})
		return
	}
}

// add puts an utterance into the next batch, in which IDs are unique. Two entries
// may have the same parts: a file, and the stretch of it that is the whole file.
func (f *feeder) add(ctx context.Context, t task) {
	if slices.ContainsFunc(f.batch, func(other task) bool { return other.ID == t.ID }) {
		f.send(ctx)
	}
	f.batch = append(f.batch, t)
	if len(f.batch) >= f.opts.Batch {
		f.send(ctx)
	}
}

// pass hands on what needs no engine, behind what the workers have already: its
// turn may come while the input has nothing more to give.
func (f *feeder) pass(ctx context.Context, o outcome) {
	select {
	case f.jobs <- job{settled: o}:
	case <-ctx.Done():
	}
}

// send waits for a worker that takes the next batch, so that one at most is
// prepared ahead.
func (f *feeder) send(ctx context.Context) {
	if len(f.batch) == 0 {
		return
	}
	j := job{batch: f.batch, taken: make(chan struct{})}
	f.batch = nil
	select {
	case f.jobs <- j:
	case <-ctx.Done():
		return
	}
	select {
	case <-j.taken:
	case <-ctx.Done():
	}
}
