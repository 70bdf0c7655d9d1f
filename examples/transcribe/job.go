package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// job is what is done with the inputs: once, or again and again where a folder
// is watched.
type job struct {
	options options
	root    *tempdir.Root
	journal *manifest.Journal
	engine  asr.Transcriber
	log     *slog.Logger
	out     *printer
	publish publisher
}

// run transcribes the inputs that were named, and then what arrives in the
// watched folder until ctx ends. It says whether that interrupted any work. Its
// error means that nothing more can be done.
func (j *job) run(ctx context.Context) (interrupted bool, err error) {
	if len(j.options.inputs) > 0 {
		if interrupted, err := j.transcribe(ctx, j.options.inputs); interrupted || err != nil {
			return interrupted, err
		}
	}
	if j.options.watch == "" {
		return false, nil
	}
	w, err := watch(j.options.watch, retry.FS{}, j.out.held)
	if err != nil {
		return false, err
	}
	defer w.close()
	for {
		j.out.watching(j.options.watch)
		arrived := w.next(ctx)
		if ctx.Err() != nil {
			return false, nil
		}
		if interrupted, err := j.transcribe(ctx, arrived); interrupted || err != nil {
			return interrupted, err
		}
	}
}

// transcribe brings the inputs to their transcripts, or to an error that is
// told, unless it is interrupted. Its own error concerns all of them: the engine,
// the journal, standard output.
func (j *job) transcribe(ctx context.Context, inputs []string) (interrupted bool, err error) {
	plan := survey(ctx, asr.Files(ctx, inputs...), j.journal, j.engine.Engine(), j.options.engine.Words)
	if ctx.Err() != nil {
		return true, nil
	}
	j.out.plan(plan)
	settled := 0
	for t, err := range asr.Stream(ctx, j.engine, asr.Files(ctx, inputs...), asr.Options{
		Root: j.root, Journal: j.journal, MaxParallel: j.options.parallel, Expect: plan.all, Logger: j.log,
		Trace: asr.Trace{Start: j.out.start, Segment: j.out.heard, Progress: j.out.progress, Restart: j.out.restart},
	}) {
		if err == nil {
			j.out.count(t) // it is in the journal, whatever becomes of the rest
			err = j.publish.write(ctx, t)
		}
		if err == nil {
			err = j.out.transcript(t)
		}
		switch {
		case err == nil:
		case ctx.Err() != nil && (!isUtterance(err) || errors.Is(err, context.Canceled)):
			return settled < plan.all.Utterances, nil // it may have come too late to stop anything
		case !isUtterance(err):
			return false, err
		default:
			j.out.failed(err)
		}
		settled++
	}
	j.publish.tidy(ctx)
	return false, nil
}

func isUtterance(err error) bool {
	_, ok := errors.AsType[*asr.UtteranceError](err)
	return ok
}
