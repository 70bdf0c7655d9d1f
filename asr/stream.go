package asr

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// runner is one run: it prepares utterances, hands them to the engine in
// batches, and journals what comes back before it is yielded.
type runner struct {
	engine   Transcriber
	about    Engine
	opts     Options
	log      *slog.Logger
	scope    *tempdir.Scope
	source   *source // the recording that was prepared last
	batch    []task
	waiting  map[string]bool // keys in batch
	files    int             // converted so far; numbers their names
	report   Report
	consumer func(Transcript, error) bool
	stopped  bool // the consumer wants no more
}

// task is an utterance on its way through the engine.
type task struct {
	Utterance
	key string
}

func newRunner(t Transcriber, o Options) *runner {
	r := &runner{engine: t, about: t.Engine(), opts: o, log: o.Logger, waiting: map[string]bool{}}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.opts.Timeout == nil {
		r.opts.Timeout = func(audio time.Duration) time.Duration { return 10*time.Minute + 60*audio }
	}
	if r.opts.Batch <= 0 || r.opts.Batch > max(1, r.about.MaxBatch) {
		r.opts.Batch = max(1, r.about.MaxBatch)
	}
	return r
}

func (r *runner) stream(ctx context.Context, in iter.Seq2[manifest.Entry, error]) iter.Seq2[Transcript, error] {
	return func(yield func(Transcript, error) bool) {
		start := time.Now()
		r.consumer = yield
		err := r.run(ctx, in)
		r.report.Elapsed = time.Since(start)
		if err != nil && !r.stopped {
			yield(Transcript{}, err)
		}
	}
}

func (r *runner) run(ctx context.Context, in iter.Seq2[manifest.Entry, error]) (err error) {
	if r.opts.Root == nil || r.opts.Journal == nil {
		return errors.New("asr: Options.Root and Options.Journal are needed")
	}
	if _, err := r.opts.Root.Sweep(ctx); err != nil {
		r.log.Warn("sweep", "err", err)
	}
	r.scope, err = r.opts.Root.NewScope(ctx, "asr run")
	if err != nil {
		return err
	}
	defer func() { r.report.Left = r.scope.Close() }()

	for entry, inErr := range in {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.report.Total++
		if inErr != nil {
			failed, ok := errors.AsType[*UtteranceError](inErr)
			if line, isLine := errors.AsType[*manifest.LineError](inErr); !ok && isLine {
				failed, ok = &UtteranceError{Err: line}, true
			}
			if !ok {
				return inErr
			}
			r.fail(failed)
		} else if err := r.take(ctx, entry); err != nil {
			return err
		}
		if r.stopped {
			return nil
		}
	}
	return r.flush(ctx)
}

// take brings one entry into the batch, or past it. Its error ends the run.
func (r *runner) take(ctx context.Context, entry manifest.Entry) error {
	next, done, err := r.prepare(ctx, entry)
	if errors.Is(err, errWaiting) {
		if err := r.flush(ctx); err != nil || r.stopped {
			return err
		}
		next, done, err = r.prepare(ctx, entry)
	}
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		failed, ok := errors.AsType[*UtteranceError](err)
		if !ok {
			failed = &UtteranceError{Path: entry.AudioPath, Err: err}
		}
		r.fail(failed)
		return nil
	}
	if done != nil {
		r.report.Resumed++
		r.yield(*done, nil)
		return nil
	}
	r.batch = append(r.batch, next)
	r.waiting[next.key] = true
	if len(r.batch) >= r.opts.Batch {
		return r.flush(ctx)
	}
	return nil
}

// flush hands the batch to the engine. Its error ends the run.
func (r *runner) flush(ctx context.Context) error {
	if len(r.batch) == 0 || r.stopped {
		return nil
	}
	batch := r.batch
	r.batch, r.waiting = nil, map[string]bool{}

	var audio time.Duration
	open := make(map[string]task, len(batch))
	utterances := make([]Utterance, len(batch))
	for i, t := range batch {
		audio += t.Duration
		open[t.ID] = t
		utterances[i] = t.Utterance
		if r.opts.Trace.Start != nil {
			r.opts.Trace.Start(t.Utterance)
		}
	}
	defer func() {
		for _, t := range batch {
			r.discard(t.Path)
		}
	}()

	limit := r.opts.Timeout(audio)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w after %v", ErrTimeout, limit))
	defer cancel()
	for transcript, err := range r.engine.Transcribe(ctx, utterances) {
		failed, isUtterance := errors.AsType[*UtteranceError](err)
		if err != nil && !isUtterance {
			return r.dead(ctx, err)
		}
		id := transcript.ID
		if isUtterance {
			id = failed.ID
		}
		t, ok := open[id]
		if !ok {
			r.log.Warn("engine answered for an utterance that it was not asked for, or twice", "engine", r.about.Name, "id", id)
			continue
		}
		if isUtterance && ctx.Err() != nil {
			break // stopped, not failed: it is for the next run
		}
		delete(open, id)
		if isUtterance {
			failed.Path = t.Source.AudioPath
			r.fail(failed)
		} else if err := r.accept(ctx, t, transcript); err != nil {
			return err
		}
		if r.stopped {
			return nil
		}
	}
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), ErrTimeout) {
		return context.Cause(ctx)
	}
	for _, t := range batch { // in order
		if _, ok := open[t.ID]; !ok {
			continue
		}
		cause := ErrNoResult
		if ctx.Err() != nil {
			cause = context.Cause(ctx)
		}
		r.fail(&UtteranceError{ID: t.ID, Path: t.Source.AudioPath, Err: cause})
		if r.stopped {
			return nil
		}
	}
	return nil
}

// dead turns an engine's last words into the run's error.
func (r *runner) dead(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, ErrTimeout) {
		return cause
	}
	if _, ok := errors.AsType[*EngineError](err); ok {
		return err
	}
	return &EngineError{Engine: r.about.Name, ExitCode: -1, Err: err}
}

// accept journals a transcript and yields it, in this order. The engine has
// given the result: no cancelled context may take it back.
func (r *runner) accept(ctx context.Context, t task, transcript Transcript) error {
	transcript.Source, transcript.Duration = t.Source, t.Duration
	entry, err := toEntry(transcript, r.about)
	if err != nil {
		return err
	}
	if err := r.opts.Journal.Append(context.WithoutCancel(ctx), t.key, entry); err != nil {
		return fmt.Errorf("the transcript of %s could not be kept: %w", t.Source.AudioPath, err)
	}
	r.report.Done++
	r.report.Audio += t.Duration
	r.yield(transcript, nil)
	return nil
}

func (r *runner) fail(err *UtteranceError) {
	r.report.Failed++
	r.log.Info("utterance failed", "path", err.Path, "err", err)
	r.yield(Transcript{}, err)
}

func (r *runner) yield(t Transcript, err error) {
	if !r.stopped && !r.consumer(t, err) {
		r.stopped = true
	}
}

// discard removes a staged file early; what stays goes with the scope.
func (r *runner) discard(path string) {
	if err := r.opts.FS.Remove(context.Background(), path); err != nil {
		r.log.Warn("staged file", "path", path, "err", err)
	}
}
