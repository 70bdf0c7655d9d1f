package asr

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// runner is one run. A feeder makes batches of the input, one ahead of the
// workers; a worker hands batches to the engine and journals what comes back;
// the caller's goroutine yields it.
type runner struct {
	engine Transcriber
	about  Engine
	opts   Options
	log    *slog.Logger
	scope  *tempdir.Scope
	busy   busy
	watch  *watch
	health health
	long   longs
	report Report

	jobs     chan job
	outcomes chan outcome
	stop     context.CancelCauseFunc
}

// task is an utterance on its way through the engine.
type task struct {
	Utterance
	key  string
	of   *long // the recording that it is a part of; nil: it is a whole one
	part int   // its place there

	deaths int // of the engine, when it had this utterance alone
}

// outcome is what became of an entry of the input.
type outcome struct {
	transcript Transcript
	failed     *UtteranceError // nil: there is a transcript
}

// job is what a worker takes: a batch, or an outcome that needs no engine.
type job struct {
	batch   []task
	taken   chan struct{} // closed when a worker has the batch
	settled outcome       // if there is no batch
}

// errStopped is the cause of the end when the caller wants no more.
var errStopped = errors.New("the caller stopped the run")

func newRunner(t Transcriber, o Options) *runner {
	r := &runner{engine: t, about: t.Engine(), opts: o, log: o.Logger}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.opts.Timeout == nil {
		r.opts.Timeout = func(audio time.Duration) time.Duration { return 10*time.Minute + 60*audio }
	}
	r.opts.Batch = atMost(r.opts.Batch, r.about.MaxBatch)
	r.opts.MaxParallel = atMost(r.opts.MaxParallel, r.about.MaxParallel)
	if r.opts.MaxAudio == 0 {
		r.opts.MaxAudio = r.about.MaxAudio
	}
	r.watch = newWatch(r.opts)
	return r
}

// atMost gives what was asked for, within what the engine bears; 0 of either
// means that nothing was said.
func atMost(asked, limit int) int {
	limit = max(1, limit)
	if asked <= 0 {
		return limit
	}
	return min(asked, limit)
}

func (r *runner) stream(ctx context.Context, in iter.Seq2[manifest.Entry, error]) iter.Seq2[Transcript, error] {
	return func(yield func(Transcript, error) bool) {
		start := time.Now()
		err := r.run(ctx, in, yield)
		r.report.Elapsed = time.Since(start)
		if err != nil && !errors.Is(err, errStopped) {
			yield(Transcript{}, err)
		}
	}
}

func (r *runner) run(ctx context.Context, in iter.Seq2[manifest.Entry, error], yield func(Transcript, error) bool) (err error) {
	if r.opts.Root == nil || r.opts.Journal == nil {
		return errors.New("asr: Options.Root and Options.Journal are needed")
	}
	if _, err := r.opts.Root.Sweep(ctx); err != nil {
		r.log.Warn("sweep", "err", err)
	}
	r.sweepParts(ctx)
	r.scope, err = r.opts.Root.NewScope(ctx, "asr run")
	if err != nil {
		return err
	}
	defer func() { r.report.Left = r.scope.Close() }()

	ctx, r.stop = context.WithCancelCause(ctx)
	r.jobs, r.outcomes = make(chan job, maxAhead), make(chan outcome)
	var feeding, working sync.WaitGroup
	feed := feeder{runner: r}
	feeding.Go(func() {
		defer close(r.jobs)
		feed.run(ctx, in)
	})
	for range r.opts.MaxParallel {
		working.Go(func() {
			for j := range r.jobs {
				r.work(ctx, j)
			}
		})
	}
	go func() {
		working.Wait()
		close(r.outcomes)
	}()
	defer func() { // also when yield panics: nobody may outlive the call
		r.stop(errStopped)
		for range r.outcomes {
		}
		feeding.Wait()
		r.report.Total = feed.total
		r.long.close()
	}()
	stopped := false
	for o := range r.outcomes {
		r.count(o)
		if !stopped && !yieldOutcome(yield, o) {
			stopped = true
			r.stop(errStopped)
		}
	}
	if stopped {
		return errStopped
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return feed.ended
}

func yieldOutcome(yield func(Transcript, error) bool, o outcome) bool {
	if o.failed != nil {
		return yield(Transcript{}, o.failed)
	}
	return yield(o.transcript, nil)
}

func (r *runner) count(o outcome) {
	switch {
	case o.failed != nil:
		r.report.Failed++
		r.log.Info("utterance failed", "path", o.failed.Path, "err", o.failed)
	case o.transcript.Resumed:
		r.report.Resumed++
	default:
		r.report.Done++
		r.report.Audio += o.transcript.Duration
	}
	r.watch.settled(o)
}

// keep journals a transcript. The engine has given it: no cancelled context may
// take it back.
func (r *runner) keep(ctx context.Context, journal *manifest.Journal, t task, transcript manifest.Entry) error {
	if abs, err := filepath.Abs(transcript.AudioPath); err == nil {
		transcript.AudioPath = abs // a manifest must not depend on where it was made
	}
	if err := journal.Append(context.WithoutCancel(ctx), t.key, transcript); err != nil {
		return fmt.Errorf("the transcript of %s could not be kept: %w", t.Source.AudioPath, err)
	}
	return nil
}

// discard removes a file that is no longer needed; what stays costs space only.
func (r *runner) discard(path string) {
	if err := r.opts.FS.Remove(context.Background(), path); err != nil {
		r.log.Warn("temporary file is left", "path", path, "err", err)
	}
}
