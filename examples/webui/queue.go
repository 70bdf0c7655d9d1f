package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// Why a task has ended without a transcript.
var (
	errCancelled = errors.New("it was cancelled")
	errStopping  = errors.New("the server is stopping")
)

// task is one recording on its way to the engine. Its functions are called one
// at a time; they must not wait for the queue.
type task struct {
	entry    manifest.Entry
	started  func()
	heard    func(asr.Segment)                 // a preview; times count from the recording's beginning
	progress func(heard, length time.Duration) // of audio
	finished func(asr.Transcript, error)       // called once, last

	cancel context.CancelCauseFunc // set while it is worked on
}

// queue hands recordings to the engine in the order in which they came. Each is
// a run of its own, so that what happens to one is nothing to the others.
type queue struct {
	engine  asr.Transcriber
	root    *tempdir.Root
	journal *manifest.Journal
	log     *slog.Logger
	changed func() // somebody's place has changed

	mu      sync.Mutex
	waiting []*task
	more    sync.Cond
	working map[*task]bool
	stopped bool
	workers sync.WaitGroup
}

// start begins to work, on as many recordings at a time as the engine bears.
func (q *queue) start() {
	q.more.L = &q.mu
	q.working = make(map[*task]bool)
	for range max(1, q.engine.Engine().MaxParallel) {
		q.workers.Go(func() {
			for {
				ctx, t := q.next()
				if t == nil {
					return
				}
				q.changed()
				transcript, err := q.transcribe(ctx, t)
				q.mu.Lock()
				delete(q.working, t)
				q.mu.Unlock()
				t.cancel(nil)
				t.finished(transcript, err)
			}
		})
	}
}

// stop ends everything with errStopping, and waits for the engine.
func (q *queue) stop() {
	q.mu.Lock()
	q.stopped = true
	waiting := q.waiting
	q.waiting = nil
	for t := range q.working {
		t.cancel(errStopping)
	}
	q.mu.Unlock()
	q.more.Broadcast()
	for _, t := range waiting {
		t.finished(asr.Transcript{}, errStopping)
	}
	q.workers.Wait()
}

// add puts a task at the end. It is false once the queue is stopped.
func (q *queue) add(t *task) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopped {
		return false
	}
	q.waiting = append(q.waiting, t)
	q.more.Signal()
	return true
}

// next waits for a task; nil is the end.
func (q *queue) next() (context.Context, *task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 && !q.stopped {
		q.more.Wait()
	}
	if q.stopped {
		return nil, nil
	}
	t := q.waiting[0]
	q.waiting = slices.Delete(q.waiting, 0, 1)
	var ctx context.Context
	ctx, t.cancel = context.WithCancelCause(context.Background())
	q.working[t] = true
	return ctx, t
}

// transcribe is one run of one recording.
func (q *queue) transcribe(ctx context.Context, t *task) (transcript asr.Transcript, err error) {
	t.started()
	var length time.Duration
	err = asr.ErrNoResult
	for transcript, err = range asr.Stream(ctx, shielded{q.engine, q.log}, one(t.entry), asr.Options{
		Root: q.root, Journal: q.journal, Logger: q.log,
		MaxParallel: 1, // there are as many runs as the engine bears
		Trace: asr.Trace{
			Start: func(u asr.Utterance) { // of a part, where the recording is long
				length = max(length, u.Source.Offset+u.Duration)
				t.progress(0, length)
			},
			Segment: func(u asr.Utterance, s asr.Segment) {
				length = u.Duration
				t.heard(s)
				t.progress(min(s.End, length), length)
			},
			Progress: func(p asr.Progress) { t.progress(p.Audio, length) },
		},
	}) {
		break // there is one utterance
	}
	if cause := context.Cause(ctx); cause != nil && err != nil {
		err = cause
	}
	return transcript, err
}

// one is the input of a run of one recording.
func one(e manifest.Entry) iter.Seq2[manifest.Entry, error] {
	return func(yield func(manifest.Entry, error) bool) { yield(e, nil) }
}

// shielded makes of an engine's panic the engine's death, which ends one run
// and not the server.
type shielded struct {
	asr.Transcriber
	log *slog.Logger
}

func (e shielded) Transcribe(ctx context.Context, batch []asr.Utterance) iter.Seq2[asr.Transcript, error] {
	return func(yield func(asr.Transcript, error) bool) {
		defer func() {
			if p := recover(); p != nil {
				e.log.Error("panic of the engine", "panic", p, "stack", string(debug.Stack()))
				yield(asr.Transcript{}, fmt.Errorf("a fault in its adapter: %v", p))
			}
		}()
		e.Transcriber.Transcribe(ctx, batch)(yield)
	}
}

// end takes a task out of the queue, or stops the engine's work on it. It does
// not wait for the engine.
func (q *queue) end(t *task, cause error) {
	q.mu.Lock()
	at := slices.Index(q.waiting, t)
	if at >= 0 {
		q.waiting = slices.Delete(q.waiting, at, at+1)
	} else if q.working[t] {
		t.cancel(cause)
	}
	q.mu.Unlock()
	if at >= 0 {
		t.finished(asr.Transcript{}, cause)
		q.changed()
	}
}

// places gives every waiting task's place, from 1.
func (q *queue) places() map[*task]int {
	q.mu.Lock()
	defer q.mu.Unlock()
	places := make(map[*task]int, len(q.waiting))
	for i, t := range q.waiting {
		places[t] = i + 1
	}
	return places
}
