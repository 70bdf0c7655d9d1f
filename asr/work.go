package asr

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// work brings every utterance of a job to its outcome, whatever the engine does,
// unless ctx is done.
func (r *runner) work(ctx context.Context, j job) {
	if j.batch == nil {
		r.outcomes <- j.settled
		return
	}
	close(j.taken)
	batches := [][]task{j.batch}
	for len(batches) > 0 && ctx.Err() == nil {
		batch := batches[0]
		batches = batches[1:]
		left, err := r.attempt(ctx, batch)
		if err == nil || ctx.Err() != nil {
			continue
		}
		tries, hopeless := r.health.died(err)
		if hopeless {
			r.stop(err)
			return
		}
		r.log.Warn("the engine died and is started again", "engine", r.about.Name, "err", err)
		r.watch.restart(err)
		var again [][]task
		for _, t := range left {
			if len(batch) == 1 {
				t.deaths++
			}
			if t.deaths >= tries {
				r.fail(ctx, t, fmt.Errorf("the engine died each time it got this (%d): %w", t.deaths, err))
				continue
			}
			again = append(again, []task{t})
		}
		batches = append(again, batches...)
	}
}

// attempt hands a batch to the engine once. Where the engine died, or was too
// slow for several at once, it gives the utterances without an outcome and why.
func (r *runner) attempt(ctx context.Context, batch []task) (left []task, err error) {
	var stretch time.Duration
	open := make(map[string]task, len(batch))
	utterances := make([]Utterance, len(batch))
	for i, t := range batch {
		stretch += t.Duration
		open[t.ID] = t
		t.Heard = r.watch.heard(t)
		utterances[i] = t.Utterance
		r.watch.start(t)
	}
	limit := newLimit(ctx, r.opts.Timeout(stretch))
	defer limit.end()
	for transcript, err := range r.engine.Transcribe(limit.ctx, utterances) {
		limit.pause()
		failed, isUtterance := errors.AsType[*UtteranceError](err)
		if err != nil && !isUtterance {
			if limit.ctx.Err() != nil {
				break // it was stopped
			}
			return r.remaining(batch, open), r.engineError(err)
		}
		id := transcript.ID
		if isUtterance {
			id = failed.ID
		}
		t, ok := open[id]
		switch {
		case !ok:
			r.log.Warn("engine answered for an utterance that it was not asked for, or twice", "engine", r.about.Name, "id", id)
		case isUtterance && limit.ctx.Err() != nil:
			// It was stopped and has not failed.
		case isUtterance:
			delete(open, id)
			r.settle(ctx, t, Transcript{}, failed)
		default:
			delete(open, id)
			r.accept(ctx, t, transcript)
		}
		limit.resume()
	}
	left = r.remaining(batch, open)
	if ctx.Err() != nil {
		return left, context.Cause(ctx)
	}
	cause := ErrNoResult
	if limit.ctx.Err() != nil {
		cause = context.Cause(limit.ctx)
		if len(batch) > 1 {
			return left, r.engineError(cause)
		}
	}
	for _, t := range left {
		r.fail(ctx, t, cause)
	}
	return nil, nil
}

// remaining gives the utterances of a batch that are still open, in order.
func (r *runner) remaining(batch []task, open map[string]task) (left []task) {
	for _, t := range batch {
		if _, ok := open[t.ID]; ok {
			left = append(left, t)
		}
	}
	return left
}

func (r *runner) engineError(err error) error {
	if _, ok := errors.AsType[*EngineError](err); ok {
		return err
	}
	return &EngineError{Engine: r.about.Name, ExitCode: -1, Err: err}
}

// accept takes a transcript: into the journal, then to whoever waits for it.
func (r *runner) accept(ctx context.Context, t task, transcript Transcript) {
	r.health.worked()
	transcript.ID, transcript.Source, transcript.Duration = t.ID, t.Source, t.Duration
	entry, err := transcript.Entry(r.about)
	if err != nil {
		r.fail(ctx, t, fmt.Errorf("the engine's transcript cannot be kept: %w", err))
		return
	}
	journal := r.opts.Journal
	if t.of != nil {
		journal = t.of.journal
	}
	if journal != nil {
		if err := r.keep(ctx, journal, t, entry); err != nil {
			r.stop(err)
			return
		}
	}
	r.settle(ctx, t, transcript, nil)
}

func (r *runner) fail(ctx context.Context, t task, err error) {
	r.settle(ctx, t, Transcript{}, &UtteranceError{ID: t.ID, Err: err})
}

// settle ends an utterance, and the recording that it was the last open part of.
func (r *runner) settle(ctx context.Context, t task, transcript Transcript, failed *UtteranceError) {
	r.discard(t.Path)
	r.watch.left(t, failed == nil)
	if failed != nil {
		failed.Path = t.Source.AudioPath
	}
	if t.of == nil {
		r.busy.end(t.key)
		r.outcomes <- outcome{transcript, failed}
		return
	}
	if t.of.settle(t.part, transcript, failed) {
		if o, ok := r.join(ctx, t.of); ok {
			r.outcomes <- o
		}
	}
}
