package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
)

// slot does one job at a time.
type slot struct {
	*worker
	recent recording // of the last job: consecutive ones are often stretches of one file
}

// maxTroubles, one after the other, end a worker whose engine dies. Before that
// it gets slow: one that fails at once would otherwise draw all jobs to it, and
// use up their tries.
const (
	maxTroubles = 10
	maxCaution  = 30 * time.Second
)

// settled, in place of a delay, says that the job has left the queue.
const settled time.Duration = -1

// do does one job. Its error ends the worker.
func (s *slot) do(ctx context.Context, message jetstream.Msg) error {
	j, tries, err := parseJob(message)
	if err != nil {
		s.log.Error("a job cannot be read and is dropped; submit the batch again", "subject", message.Subject(), "err", err)
		return s.acknowledge(message)
	}
	ctx, release := s.hold(ctx, message, &j)
	delay, err := s.attempt(ctx, &j, tries)
	if errors.Is(context.Cause(ctx), ErrCancelled) {
		delay, err = settled, nil
	}
	release()
	if delay == settled {
		return errors.Join(err, s.acknowledge(message))
	}
	s.giveBack(message, delay)
	return err
}

func parseJob(message jetstream.Msg) (j job, tries int, err error) {
	meta, err := message.Metadata()
	if err == nil {
		err = json.Unmarshal(message.Data(), &j)
	}
	if err == nil {
		err = j.check()
	}
	if err != nil {
		return j, 0, err
	}
	return j, int(meta.NumDelivered), nil
}

// attempt brings a job to its result, or says after which delay another worker
// may try. Its error ends the worker.
func (s *slot) attempt(ctx context.Context, j *job, tries int) (delay time.Duration, err error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	there, err := s.hasResult(ctx, j)
	if err != nil {
		return 0, err
	}
	if there {
		s.count(&s.report.Skipped)
		return settled, nil
	}
	if tries > s.opts.MaxTries {
		return settled, s.fail(ctx, j, fmt.Errorf("%d workers were given it and none came to an end: it kills the engine, or the worker", tries-1))
	}
	t, err := s.transcribe(ctx, j)
	if err == nil {
		s.untroubled()
		if !t.Resumed {
			s.kept.records.Add(1)
		}
		return settled, s.succeed(ctx, j, t)
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	failed, isUtterance := errors.AsType[*asr.UtteranceError](err)
	if isUtterance && errors.Is(failed, asr.ErrBadAudio) { // it would be bad everywhere
		return settled, s.fail(ctx, j, err)
	}
	troubles := s.trouble()
	dead, isEngine := errors.AsType[*asr.EngineError](err)
	if !isUtterance && !isEngine || isEngine && (dead.Fatal || troubles >= maxTroubles) { // it is the worker's fault
		return time.Second, err
	}
	if tries >= s.opts.MaxTries {
		return settled, s.fail(ctx, j, err)
	}
	delay = backOff(tries)
	s.giveWay(delay)
	s.log.Info("job failed and is given back", "path", j.Entry.AudioPath, "tries", tries, "delay", delay, "err", err)
	return delay, nil
}

// backOff is the delay after so many tries.
func backOff(tries int) time.Duration { return min(time.Second<<min(tries-1, 6), time.Minute) }

// trouble counts failures that may be this worker's fault, since the last success.
func (w *worker) trouble() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.troubles++
	return w.troubles
}

func (w *worker) untroubled() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.troubles, w.rest = 0, time.Time{}
}

// giveWay makes a worker in trouble rest until the job that it gives back has
// been there for others: whoever else asks gets it first, and its tries are not
// used up here.
func (w *worker) giveWay(delay time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.troubles > 1 {
		caution := min(100*time.Millisecond<<min(w.troubles, maxTroubles), maxCaution)
		w.rest = time.Now().Add(max(caution, delay+2*fetchWait))
	}
}

// caution is how long to wait before the next job.
func (w *worker) caution() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Until(w.rest)
}

// hold renews the job's lease until release, and ends the context when the batch
// is cancelled. It lives as long as the call that does the job, which the runner
// bounds by Options.Timeout and which returns when the engine dies: so an engine
// that hangs does not hold its job for ever.
func (w *worker) hold(ctx context.Context, message jetstream.Msg, j *job) (held context.Context, release func()) {
	held, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for sleep(held, max(w.lease/3, 10*time.Millisecond)) {
			if err := message.InProgress(); err != nil {
				w.log.Debug("renew lease", "err", err) // the commit is what counts
			}
			if w.isCancelled(held, j) {
				cancel(ErrCancelled)
			}
		}
	}()
	return held, func() {
		cancel(nil)
		<-ended
	}
}

// isCancelled asks once; there is a next time. A job that was sent since is not
// meant, even if the answer is old, as those of a cluster can be.
func (w *worker) isCancelled(ctx context.Context, j *job) bool {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	value, err := w.batches.Get(ctx, j.Batch)
	if err != nil {
		return false
	}
	var b batch
	return json.Unmarshal(value.Value(), &b) == nil && b.Cancelled && b.Cancels > j.Cancels
}

// transcribe fetches the audio and runs the engine. The transcript is in the
// worker's journal when it returns.
func (s *slot) transcribe(ctx context.Context, j *job) (t asr.Transcript, err error) {
	path, err := s.fetch(ctx, j)
	if err != nil {
		return t, err
	}
	entry := j.Entry.Entry
	entry.AudioPath = path
	if err := mark(&entry, j); err != nil {
		return t, err
	}
	input := func(yield func(manifest.Entry, error) bool) { yield(entry, nil) }
	err = asr.ErrNoResult
	for t, err = range asr.Stream(ctx, s.engine, input, s.opts.Run) {
		if failed, ok := errors.AsType[*asr.UtteranceError](err); ok {
			failed.Path = j.Entry.AudioPath
		}
	}
	t.Source = j.Entry.Entry
	return t, err
}
