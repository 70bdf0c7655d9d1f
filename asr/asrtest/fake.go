package asrtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/asr"
)

// Script says what a [Fake] is and answers. The zero value hears the name of
// each recording's file.
type Script struct {
	// Engine is what the fake says of itself. Where Name, Model and Fingerprint
	// are empty it is "fake", MaxBatch 1.
	Engine asr.Engine

	// Answers are for recordings, by the name of their file without its folder.
	Answers map[string]Answer

	// Rule answers for all others, if it is not nil. n counts the utterances that
	// the fake has begun before, in all calls: to die at the third is to answer
	// with an error where n is 2.
	Rule func(n int, u asr.Utterance) Answer
}

// Answer is what a [Fake] does with an utterance. The zero value hears nothing:
// a transcript with empty text.
type Answer struct {
	Text     string
	Language string
	Segments []asr.Segment // told to Utterance.Heard one by one; nil: Text, as long as the recording
	Words    []asr.Word

	Wait time.Duration // before each segment, and where there is none, before the answer
	Hang bool          // until the call is cancelled

	// Err takes the place of a transcript. An *asr.EngineError, wrapped or not, is
	// the engine's death: it ends the sequence, and every later call too if it is
	// Fatal. Any other error concerns the utterance.
	Err error

	// What a careless adapter does:
	Skip  bool   // no answer at all
	Twice bool   // the same answer again
	ID    string // another utterance's instead of its own, if not ""
}

// Fake is an engine that follows a [Script]. It starts no process and touches
// no file, and its clock is that of package time, so that testing/synctest can
// run it. It is safe for concurrent use, and insists on what callers have to
// keep to: MaxBatch, MaxParallel, unique IDs.
type Fake struct {
	script Script

	mu      sync.Mutex
	asked   [][]asr.Utterance
	begun   int
	running int
	closed  bool
	dead    *asr.EngineError
}

// NewFake makes an engine for tests of applications.
func NewFake(script Script) *Fake {
	if script.Engine.Name == "" {
		script.Engine.Name = "fake"
	}
	if script.Engine.Model == "" {
		script.Engine.Model = "script"
	}
	if script.Engine.Fingerprint == "" {
		script.Engine.Fingerprint = script.Engine.Name + "/" + script.Engine.Model
	}
	return &Fake{script: script}
}

// Engine is the script's, completed.
func (f *Fake) Engine() asr.Engine { return f.script.Engine }

// Close makes further calls fail.
func (f *Fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

// Asked lists the batches that the fake was given, in the order of the calls.
func (f *Fake) Asked() [][]asr.Utterance {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := make([][]asr.Utterance, len(f.asked))
	for i, batch := range f.asked {
		asked[i] = slices.Clone(batch)
	}
	return asked
}

// Transcribe answers what the script says, one utterance after the other.
func (f *Fake) Transcribe(ctx context.Context, batch []asr.Utterance) iter.Seq2[asr.Transcript, error] {
	return func(yield func(asr.Transcript, error) bool) {
		if err := f.begin(batch); err != nil {
			yield(asr.Transcript{}, err)
			return
		}
		defer f.end()
		for _, u := range batch {
			if !f.answer(ctx, u, yield) {
				return
			}
		}
	}
}

// begin records a call, and refuses one that breaks the engine's terms.
func (f *Fake) begin(batch []asr.Utterance) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, slices.Clone(batch))
	refuse := func(format string, args ...any) error {
		return &asr.EngineError{Engine: f.script.Engine.Name, ExitCode: -1, Err: fmt.Errorf(format, args...), Fatal: true}
	}
	most, parallel := max(1, f.script.Engine.MaxBatch), max(1, f.script.Engine.MaxParallel)
	switch {
	case f.closed:
		return refuse("it is closed")
	case f.dead != nil:
		return f.dead
	case len(batch) > most:
		return refuse("%d utterances in a call, but MaxBatch is %d", len(batch), most)
	case f.running >= parallel:
		return refuse("%d calls at a time, but MaxParallel is %d", f.running+1, parallel)
	}
	ids := map[string]bool{}
	for _, u := range batch {
		if u.ID == "" || ids[u.ID] {
			return refuse("the ID %q is empty or not unique in the batch", u.ID)
		}
		ids[u.ID] = true
	}
	f.running++
	return nil
}

func (f *Fake) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running--
}

// answer reports whether the sequence goes on.
func (f *Fake) answer(ctx context.Context, u asr.Utterance, yield func(asr.Transcript, error) bool) bool {
	start := time.Now()
	a := f.scripted(u)
	transcript := asr.Transcript{
		ID: u.ID, Text: a.Text, Language: a.Language, Duration: u.Duration, Segments: a.Segments, Words: a.Words,
	}
	if a.Language == "" {
		transcript.Language = u.Language
	}
	if a.Segments == nil && a.Text != "" {
		transcript.Segments = []asr.Segment{{End: u.Duration, Text: a.Text}}
	}
	if err := f.hear(ctx, a, u, transcript.Segments); err != nil {
		yield(asr.Transcript{}, &asr.UtteranceError{ID: u.ID, Path: u.Path, Err: err})
		return false
	}
	if dead, ok := errors.AsType[*asr.EngineError](a.Err); ok {
		f.die(dead)
		yield(asr.Transcript{}, a.Err)
		return false
	}
	if a.ID != "" {
		transcript.ID = a.ID
	}
	transcript.Elapsed = time.Since(start)
	times := 1
	if a.Twice {
		times = 2
	}
	if a.Skip {
		times = 0
	}
	for range times {
		if a.Err != nil {
			if !yield(asr.Transcript{}, &asr.UtteranceError{ID: transcript.ID, Path: u.Path, Err: a.Err}) {
				return false
			}
		} else if !yield(transcript, nil) {
			return false
		}
	}
	return true
}

func (f *Fake) scripted(u asr.Utterance) Answer {
	f.mu.Lock()
	n := f.begun
	f.begun++
	f.mu.Unlock()
	path := u.Source.AudioPath
	if path == "" {
		path = u.Path
	}
	name := filepath.Base(path)
	if a, ok := f.script.Answers[name]; ok {
		return a
	}
	if f.script.Rule != nil {
		return f.script.Rule(n, u)
	}
	return Answer{Text: name}
}

// hear takes its time and tells what it hears. Its error is the context's.
func (f *Fake) hear(ctx context.Context, a Answer, u asr.Utterance, segments []asr.Segment) error {
	if a.Err != nil || len(segments) == 0 {
		if err := wait(ctx, a.Wait); err != nil {
			return err
		}
	} else {
		for _, s := range segments {
			if err := wait(ctx, a.Wait); err != nil {
				return err
			}
			if u.Heard != nil {
				u.Heard(s)
			}
		}
	}
	if a.Hang {
		<-ctx.Done()
	}
	return context.Cause(ctx)
}

func wait(ctx context.Context, d time.Duration) error {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return context.Cause(ctx)
}

func (f *Fake) die(err *asr.EngineError) {
	if err.Fatal {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.dead = err
	}
}
