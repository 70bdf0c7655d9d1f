package asrtest_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/asr"
)

// stopMutants are adapters that do not stop, die or report as they have to.
var stopMutants = map[string]mutant{
	// To stop.
	"it goes on after the loop was left": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			for _, u := range batch {
				t, err := e.hear(e, ctx, u)
				yield(t, err)
			}
		}),
		check: "break", says: "called again after the loop was left",
	},
	"it ignores a cancel": {
		change: func(e *engine) {
			e.hear = func(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
				t, err := hear(e, context.WithoutCancel(ctx), u)
				<-time.After(u.Duration / 40)
				return t, err
			}
		},
		check: "cancel", says: "cancel: it was ignored",
	},
	"it hangs when it is cancelled": {
		change: func(e *engine) {
			e.hear = func(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
				t, err := hear(e, ctx, u)
				if ctx.Err() != nil {
					<-make(chan bool)
				}
				return t, err
			}
		},
		harness: patience,
		check:   "cancel", says: "Transcribe did not return",
	},
	"it works though it was cancelled before": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			if ctx.Err() != nil {
				ctx = context.WithoutCancel(ctx)
			}
			oneByOne(e, ctx, batch, yield)
		}),
		check: "cancelled_before", says: "worked all the same",
	},
	"it is dead for good after a cancel": {
		change: func(e *engine) {
			e.sequence = func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
				if e.state["cancelled"] != "" {
					yield(asr.Transcript{}, errors.New("broken pipe"))
					return
				}
				oneByOne(e, ctx, batch, yield)
				if ctx.Err() != nil {
					e.state["cancelled"] = "yes"
				}
			}
		},
		check: "cancel", says: "the engine died: broken pipe",
	},
	"it calls a cancel fatal": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			oneByOne(e, ctx, batch, func(t asr.Transcript, err error) bool {
				if ctx.Err() != nil && context.Cause(ctx) != errKilled {
					err = &asr.EngineError{Err: errors.New("cancelled"), Fatal: true}
				}
				return yield(t, err)
			})
		}),
		check: "cancel", says: "a fatal error for a call that was cancelled",
	},
	"a process goes on after a cancel": {
		change: func(e *engine) {
			e.hear = func(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
				if u.Duration < 10*time.Second {
					return hear(e, ctx, u)
				}
				cmd := background()
				t, err := hear(e, ctx, u)
				if err == nil {
					err = errors.Join(cmd.Process.Kill(), cmd.Wait())
				}
				return t, err
			}
		},
		check: "cancel", says: "when idle it had 0",
	},

	// To be killed.
	"it blames an utterance for its own death": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			oneByOne(e, ctx, batch, func(t asr.Transcript, err error) bool {
				if errors.Is(err, errKilled) {
					err = &asr.UtteranceError{ID: batch[0].ID, Err: err}
				}
				return yield(t, err)
			})
		}),
		check: "kill", says: "is blamed for it",
	},
	"it goes on after its own death": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			for _, u := range batch {
				t, err := e.hear(e, ctx, u)
				if !yield(t, err) {
					return
				}
			}
		}),
		check: "kill", says: "the sequence went on after the engine's error",
	},
	"it keeps its own death to itself": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			oneByOne(e, ctx, batch, func(t asr.Transcript, err error) bool {
				return !errors.Is(err, errKilled) && yield(t, err)
			})
		}),
		check: "kill", says: "was skipped",
	},
	"it does not start again": {
		change: func(e *engine) {
			e.sequence = func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
				if e.state["killed"] != "" {
					yield(asr.Transcript{}, errors.New("broken pipe"))
					return
				}
				oneByOne(e, ctx, batch, yield)
				if context.Cause(ctx) == errKilled {
					e.state["killed"] = "yes"
				}
			}
		},
		check: "kill", says: "the engine died: broken pipe",
	},

	// Previews, and the sequence itself.
	"a preview comes after its answer": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			for _, u := range batch {
				t, err := e.hear(e, ctx, u)
				if !yield(t, err) {
					return
				}
				u.Heard(asr.Segment{})
			}
		}),
		check: "batch", says: "heard: utterance 1 of 4",
	},
	"a preview comes after the sequence": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			oneByOne(e, ctx, batch, yield)
			for _, u := range batch {
				time.AfterFunc(time.Millisecond, func() { u.Heard(asr.Segment{}) })
			}
		}),
		check: "close", says: "called after Transcribe had returned",
	},
	"a preview is not kept within the recording": {
		change: func(e *engine) {
			e.hear = func(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
				u.Heard(asr.Segment{End: 30 * time.Hour})
				return hear(e, ctx, u)
			}
		},
		check: "batch", says: "a segment ends at 30h0m0s",
	},
	"previews run backwards": {
		change: func(e *engine) {
			e.hear = func(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
				u.Heard(asr.Segment{Start: u.Duration / 2, End: u.Duration})
				return hear(e, ctx, u)
			}
		},
		check: "batch", says: "heard: utterance 1 of 4",
	},
	"a result comes after the sequence": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			oneByOne(e, ctx, batch, yield)
			time.AfterFunc(time.Millisecond, func() { yield(asr.Transcript{}, nil) })
		}),
		check: "close", says: "called after Transcribe had returned",
	},
	"another goroutine yields": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			var group sync.WaitGroup
			group.Go(func() { oneByOne(e, ctx, batch, yield) })
			group.Wait()
		}),
		check: "batch", says: "called by another goroutine",
	},
}
