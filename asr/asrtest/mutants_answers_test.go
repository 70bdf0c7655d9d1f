package asrtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/asrtest"
)

// answerMutants are adapters that give wrong answers.
var answerMutants = map[string]mutant{
	"nothing is wrong": {},
	"nothing is wrong: half of the words may be": {
		change: hears(func(_ *engine, _ asr.Utterance, t *asr.Transcript) {
			if len(t.Words) > 0 {
				t.Words[0].Text, t.Text = "some", "Some "+t.Words[1].Text+"!"
			}
		}),
		harness: func(_ *testing.T, h *asrtest.Harness) { h.WER = 0.5 },
	},
	"nothing is wrong: there need be no words": {
		change:  hears(func(_ *engine, _ asr.Utterance, t *asr.Transcript) { t.Words = nil }),
		harness: func(_ *testing.T, h *asrtest.Harness) { h.NoWords = "it is a mutant" },
	},
	"nothing is wrong: it knows one language": {
		change: func(e *engine) {
			e.hear = func(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
				if u.Language != "xx" && strings.HasPrefix(filepath.Base(u.Source.AudioPath), "clip") {
					return asr.Transcript{}, &asr.UtteranceError{ID: u.ID, Err: errors.New("what language is this?")}
				}
				return hear(e, ctx, u)
			}
		},
		harness: func(_ *testing.T, h *asrtest.Harness) {
			for i := range h.Speech {
				h.Speech[i].Language = "xx"
			}
		},
	},

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
			oneByOne(e, ctx, batch, func(t asr.Transcript, err error) bool {
				more := yield(t, err)
				return more && yield(t, err)
			})
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
}
