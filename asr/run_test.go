package asr_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
)

func TestRunAndResume(t *testing.T) {
	for _, batch := range []int{0, 2, 3, 100} {
		b := newBench(t, 5)
		engine := &fake{batch: batch}
		report, err := asr.Run(t.Context(), engine, b.files(), b.options())
		require.NoError(t, err)
		require.Equal(t, 5, report.Total)
		require.Equal(t, 5, report.Done)
		require.Equal(t, 5*time.Second, report.Audio)
		require.Positive(t, report.RTFx())
		require.Equal(t, []string{"number 1", "number 2", "number 3", "number 4", "number 5"}, b.kept())
		b.requireNoScope()

		b.reopen()
		again := &fake{batch: batch}
		report, err = asr.Run(t.Context(), again, b.files(), b.options())
		require.NoError(t, err)
		require.Equal(t, 5, report.Resumed)
		require.Zero(t, again.calls, "what is in the journal needs no engine")
	}
}

func TestBatchOption(t *testing.T) {
	b := newBench(t, 5)
	engine := &fake{batch: 8}
	o := b.options()
	o.Batch = 2
	_, err := asr.Run(t.Context(), engine, b.files(), o)
	require.NoError(t, err)
	require.Equal(t, 3, engine.calls)
}

// A transcript is on disk before anybody sees it.
func TestJournalBeforeYield(t *testing.T) {
	b := newBench(t, 3)
	seen := 0
	for transcript, err := range asr.Stream(t.Context(), &fake{}, b.files(), b.options()) {
		require.NoError(t, err)
		seen++
		require.Contains(t, b.kept(), transcript.Text)
	}
	require.Equal(t, 3, seen)
}

func TestResumedTranscriptIsTheSame(t *testing.T) {
	b := newBench(t, 1)
	collect := func() (all []asr.Transcript) {
		for transcript, err := range asr.Stream(t.Context(), &fake{}, b.files(), b.options()) {
			require.NoError(t, err)
			all = append(all, transcript)
		}
		return all
	}
	first := collect()
	b.reopen()
	second := collect()
	require.Len(t, second, 1)
	require.True(t, second[0].Resumed)
	second[0].Resumed = false
	require.Equal(t, first, second)
}

func TestResumeFollowsContentAndEngine(t *testing.T) {
	b := newBench(t, 2)
	_, err := asr.Run(t.Context(), &fake{}, b.files(), b.options())
	require.NoError(t, err)

	require.NoError(t, os.Rename(filepath.Join(b.dir, "000.wav"), filepath.Join(b.dir, "moved.wav")))
	b.record("001.wav", wav(77, time.Second))
	engine := &fake{}
	report, err := asr.Run(t.Context(), engine, b.files(), b.options())
	require.NoError(t, err)
	require.Equal(t, 1, report.Resumed, "a moved file is the same recording")
	require.Equal(t, []string{"number 77"}, engine.heard, "a changed file is another one")
}

// A file that is replaced after it was hashed: what the engine hears is kept as
// the transcript of what it heard.
func TestFileChangesBeforeItIsStaged(t *testing.T) {
	var path string
	opened := 0
	b := newBenchFS(t, 1, retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpOpen && op.Path == path {
			if opened++; opened == 2 {
				require.NoError(t, os.WriteFile(path, wav(77, time.Second), 0o600))
			}
		}
		return next()
	}})
	path = filepath.Join(b.dir, "000.wav")
	_, err := asr.Run(t.Context(), &fake{}, b.files(), b.options())
	require.NoError(t, err)
	require.Equal(t, []string{"number 77"}, b.kept())
	report, err := asr.Run(t.Context(), &fake{}, b.files(), b.options())
	require.NoError(t, err)
	require.Equal(t, 1, report.Resumed)
}

func TestSameContentTwice(t *testing.T) {
	b := newBench(t, 0)
	b.record("a.wav", wav(9, time.Second))
	b.record("b.wav", wav(9, time.Second))
	engine := &fake{batch: 8}
	var paths []string
	for transcript, err := range asr.Stream(t.Context(), engine, b.files(), b.options()) {
		require.NoError(t, err)
		paths = append(paths, filepath.Base(transcript.Source.AudioPath))
	}
	require.Equal(t, []string{"a.wav", "b.wav"}, paths)
	require.Len(t, engine.heard, 1)
	require.Len(t, b.kept(), 1)
}

// The engine dies for good over a recording that is there twice: the run ends,
// and does not go on with a dead engine.
func TestSameContentTwiceAndDeadEngine(t *testing.T) {
	b := newBench(t, 0)
	for _, name := range []string{"a.wav", "b.wav", "c.wav"} {
		b.record(name, wav(9, time.Second))
	}
	engine := &fake{batch: 8}
	engine.answer = func(_ context.Context, _ []asr.Utterance, yield func(asr.Transcript, error) bool) {
		yield(asr.Transcript{}, &asr.EngineError{Engine: "fake", Err: errors.New("gone"), Fatal: true})
	}
	report, err := asr.Run(t.Context(), engine, b.files(), b.options())
	_, dead := errors.AsType[*asr.EngineError](err)
	require.True(t, dead, "%v", err)
	require.Equal(t, 1, engine.calls)
	require.Zero(t, report.Failed)
}

func TestOneBadUtteranceCostsNoOther(t *testing.T) {
	b := newBench(t, 4)
	engine := &fake{batch: 4}
	engine.answer = func(_ context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
		for i, u := range slices.Backward(batch) { // in any order
			if i == 1 {
				yield(asr.Transcript{}, &asr.UtteranceError{ID: u.ID, Err: asr.ErrBadAudio, Stderr: "cannot read\nno sound"})
				continue
			}
			yield(engine.hear(u), nil)
		}
	}
	report, err := asr.Run(t.Context(), engine, b.files(), b.options())
	require.Equal(t, 3, report.Done)
	require.Equal(t, 1, report.Failed)
	require.Equal(t, []string{"number 1", "number 3", "number 4"}, b.kept())
	failures := slices.Collect(asr.Failures(err))
	require.Len(t, failures, 1)
	require.ErrorIs(t, failures[0], asr.ErrBadAudio)
	require.Equal(t, "transcribe "+filepath.Join(b.dir, "001.wav")+": bad audio; the engine said: no sound", err.Error())
}

// An engine that skips, repeats or invents answers shifts nothing.
func TestDishonestEngine(t *testing.T) {
	b := newBench(t, 3)
	engine := &fake{batch: 3}
	engine.answer = func(_ context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
		yield(engine.hear(batch[2]), nil)
		yield(asr.Transcript{ID: batch[2].ID, Text: "again"}, nil)
		yield(asr.Transcript{ID: "0000", Text: "whose?"}, nil)
		yield(engine.hear(batch[0]), nil)
	}
	texts := map[string]string{}
	var failed []*asr.UtteranceError
	for transcript, err := range asr.Stream(t.Context(), engine, b.files(), b.options()) {
		if err != nil {
			failed = slices.AppendSeq(failed, asr.Failures(err))
			continue
		}
		texts[filepath.Base(transcript.Source.AudioPath)] = transcript.Text
	}
	require.Equal(t, map[string]string{"000.wav": "number 1", "002.wav": "number 3"}, texts)
	require.Len(t, failed, 1)
	require.ErrorIs(t, failed[0], asr.ErrNoResult)
	require.Equal(t, "001.wav", filepath.Base(failed[0].Path))
}

// A transcript that no line can hold costs no other.
func TestTranscriptThatCannotBeKept(t *testing.T) {
	b := newBench(t, 3)
	engine := &fake{batch: 3}
	engine.answer = func(_ context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
		for i, u := range batch {
			transcript := engine.hear(u)
			if i == 1 {
				transcript.Words = []asr.Word{{Text: "number", Confidence: math.NaN()}}
			}
			yield(transcript, nil)
		}
	}
	report, err := asr.Run(t.Context(), engine, b.files(), b.options())
	require.ErrorContains(t, err, "001.wav: the engine's transcript cannot be kept")
	require.ErrorContains(t, err, "NaN")
	require.Equal(t, 2, report.Done)
	require.Equal(t, 1, report.Failed)
	require.Equal(t, []string{"number 1", "number 3"}, b.kept())
}

func TestDeadEngineKeepsEarlierResults(t *testing.T) {
	b := newBench(t, 5)
	engine := &fake{batch: 5}
	engine.answer = func(_ context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
		yield(engine.hear(batch[0]), nil)
		yield(asr.Transcript{}, &asr.EngineError{Engine: "fake", ExitCode: 139, Err: errors.New("segmentation fault"), Fatal: true})
	}
	report, err := asr.Run(t.Context(), engine, b.files(), b.options())
	require.Equal(t, 1, report.Done)
	dead, ok := errors.AsType[*asr.EngineError](err)
	require.True(t, ok)
	require.Equal(t, 139, dead.ExitCode)
	require.Equal(t, []string{"number 1"}, b.kept())
	b.requireNoScope()

	report, err = asr.Run(t.Context(), &fake{}, b.files(), b.options())
	require.NoError(t, err)
	require.Equal(t, 1, report.Resumed)
	require.Equal(t, 4, report.Done)
}

// An engine that dies is started again, and only what is unfinished goes to it.
func TestDeadEngineIsStartedAgain(t *testing.T) {
	b := newBench(t, 5)
	engine := &fake{batch: 5}
	engine.answer = func(_ context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
		for i, u := range batch {
			if i == 2 {
				yield(asr.Transcript{}, errors.New("killed"))
				return
			}
			yield(engine.hear(u), nil)
		}
	}
	var restarts []error
	o := b.options()
	o.Trace.Restart = func(err error) { restarts = append(restarts, err) }
	report, err := asr.Run(t.Context(), engine, b.files(), o)
	require.NoError(t, err)
	require.Equal(t, 5, report.Done)
	require.Len(t, engine.heard, 5, "nothing is transcribed twice")
	require.Equal(t, 4, engine.calls, "the batch once, then three utterances one by one")
	require.Len(t, restarts, 1)
	require.ErrorContains(t, restarts[0], "engine fake: killed")
}

// A recording that kills the engine is found and set aside; the others of its
// batch, and what comes later, are transcribed.
func TestPoison(t *testing.T) {
	for _, batch := range []int{1, 3, 8} {
		b := newBench(t, 6)
		engine := &fake{batch: batch}
		deaths := 0
		engine.answer = func(_ context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
			for _, u := range batch {
				if filepath.Base(u.Source.AudioPath) == "002.wav" {
					deaths++
					yield(asr.Transcript{}, &asr.EngineError{Engine: "fake", ExitCode: 139, Err: errors.New("segmentation fault")})
					return
				}
				yield(engine.hear(u), nil)
			}
		}
		report, err := asr.Run(t.Context(), engine, b.files(), b.options())
		require.Equal(t, 5, report.Done)
		require.Equal(t, 1, report.Failed)
		require.ErrorContains(t, err, "002.wav: the engine died each time it got this (3): engine fake: segmentation fault (exit code 139)")
		require.LessOrEqual(t, deaths, 4)
		require.Len(t, engine.heard, 5)
		b.requireNoScope()
	}
}

// A folder in which everything kills the engine: each recording gets its
// tries, at first three, later one.
func TestEverythingIsPoison(t *testing.T) {
	b := newBench(t, 30)
	engine := &fake{}
	engine.answer = func(_ context.Context, _ []asr.Utterance, yield func(asr.Transcript, error) bool) {
		yield(asr.Transcript{}, errors.New("killed"))
	}
	report, err := asr.Run(t.Context(), engine, b.files(), b.options())
	require.Error(t, err)
	require.Equal(t, 30, report.Failed)
	require.Equal(t, 5*3+25, engine.calls)
}

func TestBreakStopsTheRun(t *testing.T) {
	b := newBench(t, 5)
	engine := &fake{batch: 5}
	engine.answer = func(ctx context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
		yield(engine.hear(batch[0]), nil)
		<-ctx.Done()
		yield(asr.Transcript{}, &asr.UtteranceError{ID: batch[1].ID, Err: context.Cause(ctx)})
	}
	for range asr.Stream(t.Context(), engine, b.files(), b.options()) {
		break
	}
	require.Equal(t, 1, engine.calls)
	require.Len(t, b.kept(), 1)
	b.requireNoScope()
}

// A caller that panics in its loop leaves nobody behind.
func TestPanicStopsTheRun(t *testing.T) {
	b := newBench(t, 5)
	require.PanicsWithValue(t, "ouch", func() {
		for range asr.Stream(t.Context(), &fake{}, b.files(), b.options()) {
			panic("ouch")
		}
	})
	b.requireNoScope()
}

// A result that the engine has given is journaled even if the run is cancelled
// at that moment.
func TestCancelLosesNoGivenResult(t *testing.T) {
	b := newBench(t, 3)
	ctx, cancel := context.WithCancel(t.Context())
	engine := &fake{batch: 3}
	engine.answer = func(ctx context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
		transcript := engine.hear(batch[0])
		cancel()
		yield(transcript, nil)
		yield(asr.Transcript{}, &asr.UtteranceError{ID: batch[1].ID, Err: context.Cause(ctx)})
	}
	report, err := asr.Run(ctx, engine, b.files(), b.options())
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, report.Done)
	require.Zero(t, report.Failed, "what was stopped has not failed")
	require.Equal(t, []string{"number 1"}, b.kept())
	b.requireNoScope()
}

// What could not be journaled is not shown.
func TestFullDisk(t *testing.T) {
	var full atomic.Bool
	var journal string
	b := newBenchFS(t, 3, retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if full.Load() && op.Kind == retry.OpWrite && op.Path == journal {
			return errors.New("no space left on device")
		}
		return next()
	}})
	journal = b.path
	engine := &fake{}
	engine.answer = func(_ context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
		full.Store(engine.calls == 2)
		yield(engine.hear(batch[0]), nil)
	}
	var shown []string
	var failed error
	for transcript, err := range asr.Stream(t.Context(), engine, b.files(), b.options()) {
		require.NoError(t, failed, "the run has ended")
		if failed = err; err == nil {
			shown = append(shown, transcript.Text)
		}
	}
	require.Equal(t, []string{"number 1"}, shown)
	require.ErrorContains(t, failed, "no space left on device")
	require.ErrorContains(t, failed, "001.wav")
	full.Store(false)
	b.reopen()
	report, err := asr.Run(t.Context(), &fake{}, b.files(), b.options())
	require.NoError(t, err)
	require.Equal(t, 1, report.Resumed)
	require.Equal(t, []string{"number 1", "number 2", "number 3"}, b.kept())
}

func TestTimeout(t *testing.T) {
	b := newBench(t, 2)
	synctest.Test(t, func(t *testing.T) {
		engine := &fake{}
		engine.answer = func(ctx context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
			if engine.calls == 1 {
				<-ctx.Done() // it hangs
				yield(asr.Transcript{}, &asr.UtteranceError{ID: batch[0].ID, Err: context.Cause(ctx)})
				return
			}
			yield(engine.hear(batch[0]), nil)
		}
		report, err := asr.Run(t.Context(), engine, b.files(), b.options())
		require.ErrorIs(t, err, asr.ErrTimeout)
		require.ErrorContains(t, err, "000.wav")
		require.ErrorContains(t, err, "11m0s")
		require.Equal(t, 1, report.Failed)
		require.Equal(t, 1, report.Done)
	})
}

func TestStretches(t *testing.T) {
	b := newBench(t, 0)
	path := b.record("long.wav", wav(5, 10*time.Second))
	in := func(yield func(manifest.Entry, error) bool) {
		for _, e := range []manifest.Entry{
			{AudioPath: path, Offset: 2 * time.Second, Duration: 3 * time.Second},
			{AudioPath: path, Offset: 9 * time.Second, Duration: 3 * time.Second},
			{AudioPath: path, Duration: 10 * time.Second},
			{AudioPath: path, Offset: 11 * time.Second},
		} {
			if !yield(e, nil) {
				return
			}
		}
	}
	var lengths []time.Duration
	var failed []error
	for transcript, err := range asr.Stream(t.Context(), &fake{batch: 4}, in, b.options()) {
		if err != nil {
			failed = append(failed, err)
			continue
		}
		lengths = append(lengths, transcript.Duration)
		require.Equal(t, "number 5", transcript.Text)
	}
	require.Equal(t, []time.Duration{3 * time.Second, time.Second, 10 * time.Second}, lengths)
	require.Len(t, failed, 1)
	require.ErrorContains(t, failed[0], "offset 11s is not inside the recording")
	b.requireNoScope()
}

func TestManyFailuresAreCapped(t *testing.T) {
	b := newBench(t, 0)
	in := func(yield func(manifest.Entry, error) bool) {
		for n := range 1000 {
			if !yield(manifest.Entry{AudioPath: filepath.Join(b.dir, fmt.Sprintf("%d.wav", n))}, nil) {
				return
			}
		}
	}
	report, err := asr.Run(t.Context(), &fake{}, in, b.options())
	require.Equal(t, 1000, report.Failed)
	require.Len(t, slices.Collect(asr.Failures(err)), 100)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Len(t, strings.Split(err.Error(), "\n"), 7, err.Error())
	require.ErrorContains(t, err, "and 995 more")
}

// What ended a run is said first, however many utterances had failed before.
func TestWhatEndedTheRunIsSaid(t *testing.T) {
	b := newBench(t, 1)
	engine := &fake{}
	engine.answer = func(_ context.Context, _ []asr.Utterance, yield func(asr.Transcript, error) bool) {
		yield(asr.Transcript{}, &asr.EngineError{Engine: "fake", Err: errors.New("gone"), Fatal: true})
	}
	in := func(yield func(manifest.Entry, error) bool) {
		for n := range 200 {
			if !yield(manifest.Entry{AudioPath: filepath.Join(b.dir, fmt.Sprintf("%d.wav", n))}, nil) {
				return
			}
		}
		yield(manifest.Entry{AudioPath: filepath.Join(b.dir, "000.wav")}, nil)
	}
	report, err := asr.Run(t.Context(), engine, in, b.options())
	require.Equal(t, 200, report.Failed)
	require.Regexp(t, `^201 failures\n  - engine fake: gone\n`, err.Error())
	require.ErrorContains(t, err, "and 196 more")
	require.Len(t, slices.Collect(asr.Failures(err)), 100)
}

func TestOptionsAreNeeded(t *testing.T) {
	_, err := asr.Run(t.Context(), &fake{}, asr.Files(t.Context()), asr.Options{})
	require.ErrorContains(t, err, "Root and Options.Journal")
}

// An adapter may forget the cause of its error; what it says is printed.
func TestErrorsWithoutACause(t *testing.T) {
	require.EqualError(t, &asr.UtteranceError{Path: "a.wav"}, "transcribe a.wav: <nil>")
	require.EqualError(t, &asr.EngineError{Engine: "fake"}, "engine fake: <nil>")
}
