package asrtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/asrtest"
)

type yielder = func(asr.Transcript, error) bool

// mutants are adapters with one fault each, by its description.
var mutants = map[string]mutant{
	"nothing is wrong": {},

	// What the engine says of itself.
	"it has no fingerprint": {
		change: func(e *engine) { e.about.Fingerprint = "" },
		check:  "engine", says: "Engine.Fingerprint is empty",
	},
	"it changes its description": {
		change: hears(func(e *engine, _ asr.Utterance, _ *asr.Transcript) { e.about.Model += "x" }),
		check:  "engine", says: "Engine changed",
	},
	"the fingerprint depends on the root": {
		change: func(e *engine) { e.about.Fingerprint = e.root.Path() },
		check:  "names", says: "no run is ever resumed",
	},
	"the fingerprint misses an option": {
		change: func(e *engine) { e.about.Fingerprint = "2" },
		check:  "other", says: "both engines have",
	},
	"it takes fewer than it says": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			if len(batch) > 3 {
				yield(asr.Transcript{}, errors.New("too many"))
				return
			}
			oneByOne(e, ctx, batch, yield)
		}),
		check: "batch", says: "the engine died: too many",
	},
	"an empty batch kills it": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			if len(batch) == 0 {
				yield(asr.Transcript{}, errors.New("no work"))
			}
			oneByOne(e, ctx, batch, yield)
		}),
		check: "batch", says: "the engine died: no work",
	},

	// Which answer is whose.
	"answers slip by one": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			oneByOne(e, ctx, batch, func(t asr.Transcript, err error) bool {
				for i, u := range batch {
					if err == nil && u.ID == t.ID {
						t.ID = batch[(i+1)%len(batch)].ID
						break
					}
				}
				return yield(t, err)
			})
		}),
		check: "speech", says: "speech: utterance",
	},
	"an utterance is skipped in silence": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			oneByOne(e, ctx, batch[:max(0, len(batch)-1)], yield)
		}),
		check: "batch", says: "was skipped",
	},
	"silence is skipped": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			oneByOne(e, ctx, batch, func(t asr.Transcript, err error) bool {
				return err == nil && t.Text == "" || yield(t, err)
			})
		}),
		check: "silence", says: "was skipped",
	},
	"empty text is an error": {
		change: func(e *engine) {
			e.hear = func(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
				t, err := hear(e, ctx, u)
				if err == nil && t.Text == "" {
					return t, &asr.UtteranceError{ID: u.ID, Path: u.Path, Err: asr.ErrNoResult}
				}
				return t, err
			}
		},
		check: "silence", says: "engine gave no result",
	},
	"it answers twice": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			oneByOne(e, ctx, batch, func(t asr.Transcript, err error) bool { return yield(t, err) && yield(t, err) })
		}),
		check: "batch", says: "was answered twice",
	},
	"it answers for a stranger": {
		change: hears(func(_ *engine, _ asr.Utterance, t *asr.Transcript) { t.ID = "ffffffffffffffff" }),
		check:  "batch", says: "which is not in the batch",
	},
	"its failures name no utterance": {
		change: func(e *engine) {
			e.hear = func(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
				t, err := hear(e, ctx, u)
				if failed, ok := errors.AsType[*asr.UtteranceError](err); ok {
					failed.ID = ""
				}
				return t, err
			}
		},
		check: "bad_audio", says: `an answer for "", which is not in the batch`,
	},
	"it mixes up calls at the same time": {
		change: func(e *engine) {
			e.hear = func(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
				e.mu.Lock()
				e.state[u.ID] = u.Path
				e.mu.Unlock()
				for range 1000 { // until another call has the same ID
					<-time.After(time.Millisecond)
					e.mu.Lock()
					latest := e.state[u.ID]
					e.mu.Unlock()
					if latest != u.Path || u.ID != "00000000000000aa" {
						u.Path = latest
						break
					}
				}
				return hear(e, ctx, u)
			}
		},
		check: "parallel", says: "speech: call",
	},

	// What is in an answer.
	"a segment ends after the recording": {
		change: hears(func(_ *engine, u asr.Utterance, t *asr.Transcript) {
			t.Segments = []asr.Segment{{End: u.Duration + time.Millisecond}}
		}),
		check: "batch", says: "times: segment 1 ends at",
	},
	"a segment ends before it begins": {
		change: hears(func(_ *engine, _ asr.Utterance, t *asr.Transcript) {
			t.Segments = []asr.Segment{{Start: 2, End: 1}}
		}),
		check: "batch", says: "times: segment 1 ends at 1ns, before it begins",
	},
	"segments run backwards": {
		change: hears(func(_ *engine, u asr.Utterance, t *asr.Transcript) {
			t.Segments = []asr.Segment{{Start: 2, End: 3}, {Start: 1, End: 3}}
		}),
		check: "batch", says: "times: segment 2 begins at 1ns",
	},
	"a word begins before the recording": {
		change: hears(func(_ *engine, _ asr.Utterance, t *asr.Transcript) {
			t.Words = []asr.Word{{Start: -1, Text: "x"}}
		}),
		check: "batch", says: "times: word 1",
	},
	"confidence is in per cent": {
		change: hears(func(_ *engine, _ asr.Utterance, t *asr.Transcript) {
			t.Words = []asr.Word{{Text: "x", Confidence: 93}}
		}),
		check: "batch", says: "has confidence 93",
	},
	"words are missing": {
		change: hears(func(_ *engine, _ asr.Utterance, t *asr.Transcript) { t.Words = t.Words[:min(1, len(t.Words))] }),
		check:  "words", says: "but the text is",
	},
	"a character is cut in two": {
		change: hears(func(_ *engine, _ asr.Utterance, t *asr.Transcript) { t.Text += "\xe6\x97" }),
		check:  "batch", says: "is not UTF-8",
	},

	// Damaged recordings.
	"a damaged recording ends the sequence": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			oneByOne(e, ctx, batch, func(t asr.Transcript, err error) bool {
				if err != nil {
					return yield(t, fmt.Errorf("exit code 1: %s", err))
				}
				return yield(t, err)
			})
		}),
		check: "bad_audio/text", says: "the recording ended the sequence",
	},
	"a damaged recording takes the batch with it": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			for _, u := range batch {
				if _, err := asr.Inspect(ctx, u.Path); err == nil {
					continue
				}
				for _, u := range batch {
					if !yield(asr.Transcript{}, &asr.UtteranceError{ID: u.ID, Path: u.Path, Err: asr.ErrBadAudio}) {
						return
					}
				}
				return
			}
			oneByOne(e, ctx, batch, yield)
		}),
		check: "bad_audio/truncated", says: "failed with the damaged one",
	},
	"a damaged recording is read as far as it goes": {
		change: func(e *engine) {
			e.hear = func(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
				if info, err := os.Stat(u.Path); err == nil && info.Size() > 1000 {
					return listen(u), nil
				}
				return hear(e, ctx, u)
			}
		},
		check: "bad_audio/truncated", says: "asr.Inspect finds such files",
	},
	"a damaged recording is not called one": {
		change: func(e *engine) {
			e.hear = func(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
				t, err := hear(e, ctx, u)
				if failed, ok := errors.AsType[*asr.UtteranceError](err); ok && ctx.Err() == nil {
					failed.Err = asr.ErrNoResult
				}
				return t, err
			}
		},
		check: "bad_audio/empty", says: "the error is not asr.ErrBadAudio",
	},
	"it does not work after a damaged recording": {
		change: func(e *engine) {
			e.sequence = func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
				if e.state["damaged"] != "" {
					yield(asr.Transcript{}, errors.New("broken pipe"))
					return
				}
				oneByOne(e, ctx, batch, func(t asr.Transcript, err error) bool {
					if errors.Is(err, asr.ErrBadAudio) {
						e.state["damaged"] = "yes"
					}
					return yield(t, err)
				})
			}
		},
		check: "bad_audio", says: "the engine died: broken pipe",
	},
	"it dies at the second batch": {
		change: says(func(e *engine, ctx context.Context, batch []asr.Utterance, yield yielder) {
			if e.calls == 2 {
				yield(asr.Transcript{}, errors.New("broken pipe"))
				return
			}
			oneByOne(e, ctx, batch, yield)
		}),
		check: "silence", says: "the engine died: broken pipe",
	},
	"a name is taken for an option": {
		change: func(e *engine) {
			e.hear = func(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
				if filepath.Base(u.Path)[0] == '-' {
					return asr.Transcript{}, &asr.UtteranceError{ID: u.ID, Err: errors.New("unknown option -x.wav")}
				}
				return hear(e, ctx, u)
			}
		},
		check: "names", says: "unknown option -x.wav",
	},

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

	// What is left behind.
	"Close fails the second time": {
		change: func(e *engine) {
			e.stop = func(e *engine) error {
				if e.state["closed"] != "" {
					return os.ErrClosed
				}
				e.state["closed"] = "yes"
				e.scope.Close()
				return nil
			}
		},
		check: "close", says: "Close, called again,: file already closed",
	},
	"Close hangs": {
		change:  func(e *engine) { e.stop = func(*engine) error { <-make(chan bool); return nil } },
		harness: patience,
		check:   "close", says: "Close did not return",
	},
	"it works when it is closed": {
		change: func(e *engine) {
			e.stop = func(e *engine) error { e.closed = false; e.scope.Close(); return nil }
		},
		check: "close", says: "must give an *asr.EngineError",
	},
	"its scope stays open": {
		change: func(e *engine) { e.stop = func(*engine) error { return nil } },
		check:  "close", says: "has not closed its scopes",
	},
	"a recording stays open": {
		change: hears(func(_ *engine, u asr.Utterance, _ *asr.Transcript) {
			f, err := os.Open(u.Path)
			if err != nil {
				panic(err)
			}
			kept.Store(f, f)
		}),
		check: "batch", says: "files: after the call, ",
	},
	"linux: a file stays open until it is gone": {
		change: hears(func(e *engine, _ asr.Utterance, _ *asr.Transcript) {
			f := touch(e.scope.Path("log"))
			kept.Store(f, f)
		}),
		check: "close", says: "files: after Close, this process itself",
	},
	"a goroutine lives on": {
		change: func(e *engine) {
			forever := make(chan bool)
			go func() { <-forever }()
		},
		check: "close", says: "goroutines: one lives on",
	},
	"a process lives on": {
		change: hears(func(e *engine, _ asr.Utterance, _ *asr.Transcript) {
			if e.state["started"] == "" {
				background()
				e.state["started"] = "yes"
			}
		}),
		check: "close", says: "lives on",
	},
	"it writes into the temporary directory": {
		change: writes(func(*engine, asr.Utterance) string { return filepath.Join(os.TempDir(), "manifest.json") }),
		check:  "outside", says: "created",
	},
	"it writes into the home directory": {
		change: writes(func(*engine, asr.Utterance) string {
			home, _ := os.UserHomeDir()
			return filepath.Join(home, ".earrc")
		}),
		check: "outside", says: "created",
	},
	"it writes into the working directory": {
		change: writes(func(*engine, asr.Utterance) string { return "core" }),
		check:  "outside", says: "created",
	},
	"it writes beside the user's recording": {
		change: writes(func(_ *engine, u asr.Utterance) string { return u.Source.AudioPath + ".json" }),
		check:  "outside", says: "created",
	},
	"it changes the user's recording": {
		change: writes(func(_ *engine, u asr.Utterance) string { return u.Source.AudioPath }),
		check:  "outside", says: "changed",
	},
	"it writes into the root itself": {
		change: writes(func(e *engine, _ asr.Utterance) string { return filepath.Join(e.root.Path(), "ear.log") }),
		check:  "close", says: "the engine has left ear.log in the root",
	},
	"it removes its input": {
		change: hears(func(_ *engine, u asr.Utterance, _ *asr.Transcript) {
			if err := os.Remove(u.Path); err != nil {
				panic(err)
			}
		}),
		check: "batch", says: "has changed the recording",
	},

	// What the harness does not say.
	"there is no speech and no reason": {
		harness: func(_ *testing.T, h *asrtest.Harness) { h.Speech = nil },
		check:   "speech", says: "say in NoSpeech why not",
	},
	"there is no other engine and no reason": {
		harness: func(_ *testing.T, h *asrtest.Harness) { h.Other = nil },
		check:   "other", says: "say in NoOther why not",
	},
	"there is no process and no reason": {
		harness: func(_ *testing.T, h *asrtest.Harness) { h.Kill = nil },
		check:   "kill", says: "say in NoKill why not",
	},
}

// kept are files that a mutant has open: the collector must not close them.
var kept sync.Map

// background starts a process that does not end by itself in time.
func background() *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(exe, "linger")
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	return cmd
}
