package asrtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/asrtest"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// batch is one utterance of a second for each name.
func batch(names ...string) []asr.Utterance {
	var list []asr.Utterance
	for i, name := range names {
		list = append(list, asr.Utterance{
			ID: fmt.Sprint(i + 1), Duration: time.Second, Language: "de", Source: manifest.Entry{AudioPath: "in/" + name},
		})
	}
	return list
}

// collect writes each element of a call as text.
func collect(ctx context.Context, engine asr.Transcriber, batch []asr.Utterance) []string {
	var list []string
	for t, err := range engine.Transcribe(ctx, batch) {
		failed, isUtterance := errors.AsType[*asr.UtteranceError](err)
		switch {
		case isUtterance:
			list = append(list, failed.ID+" failed: "+failed.Err.Error())
		case err != nil:
			list = append(list, "died: "+err.Error())
		default:
			list = append(list, t.ID+" "+t.Text)
		}
	}
	return list
}

func TestFakeAnswers(t *testing.T) {
	dead := &asr.EngineError{Engine: "fake", ExitCode: -1, Err: errors.New("gone")}
	fatal := &asr.EngineError{Engine: "fake", ExitCode: -1, Err: errors.New("no device"), Fatal: true}
	rule := func(at int, a asrtest.Answer) func(int, asr.Utterance) asrtest.Answer {
		return func(n int, _ asr.Utterance) asrtest.Answer {
			if n == at {
				return a
			}
			return asrtest.Answer{Text: fmt.Sprint("text ", n)}
		}
	}
	for name, test := range map[string]struct {
		script asrtest.Script
		want   []string // of two calls
	}{
		"by name":    {asrtest.Script{}, []string{"1 a.wav", "2 b.wav", "1 a.wav", "2 b.wav"}},
		"empty text": {asrtest.Script{Answers: map[string]asrtest.Answer{"a.wav": {}}}, []string{"1 ", "2 b.wav", "1 ", "2 b.wav"}},
		"one fails": {
			asrtest.Script{Answers: map[string]asrtest.Answer{"a.wav": {Err: asr.ErrBadAudio}}},
			[]string{"1 failed: bad audio", "2 b.wav", "1 failed: bad audio", "2 b.wav"},
		},
		"dies first":     {asrtest.Script{Rule: rule(0, asrtest.Answer{Err: dead})}, []string{"died: engine fake: gone", "1 text 1", "2 text 2"}},
		"dies later":     {asrtest.Script{Rule: rule(1, asrtest.Answer{Err: dead})}, []string{"1 text 0", "died: engine fake: gone", "1 text 2", "2 text 3"}},
		"dies for good":  {asrtest.Script{Rule: rule(1, asrtest.Answer{Err: fatal})}, []string{"1 text 0", "died: engine fake: no device", "died: engine fake: no device"}},
		"skips":          {asrtest.Script{Rule: rule(0, asrtest.Answer{Skip: true})}, []string{"2 text 1", "1 text 2", "2 text 3"}},
		"answers twice":  {asrtest.Script{Rule: rule(0, asrtest.Answer{Twice: true})}, []string{"1 ", "1 ", "2 text 1", "1 text 2", "2 text 3"}},
		"for a stranger": {asrtest.Script{Rule: rule(0, asrtest.Answer{ID: "9"})}, []string{"9 ", "2 text 1", "1 text 2", "2 text 3"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.script.Engine.MaxBatch = 2
			fake := asrtest.NewFake(test.script)
			got := collect(t.Context(), fake, batch("a.wav", "b.wav"))
			got = append(got, collect(t.Context(), fake, batch("a.wav", "b.wav"))...)
			require.Equal(t, test.want, got)
		})
	}
}

// Time is that of the bubble: an hour costs nothing.
func TestFakeTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		segments := []asr.Segment{{End: time.Second, Text: "one"}, {Start: time.Second, End: 9 * time.Second, Text: "two"}}
		fake := asrtest.NewFake(asrtest.Script{Answers: map[string]asrtest.Answer{
			"a.wav": {Text: "one two", Segments: segments, Wait: time.Hour},
			"b.wav": {Hang: true},
		}})
		start := time.Now()
		var heard []time.Duration
		work := batch("a.wav")
		work[0].Heard = func(asr.Segment) { heard = append(heard, time.Since(start)) }
		for transcript, err := range fake.Transcribe(t.Context(), work) {
			require.NoError(t, err)
			require.Equal(t, segments, transcript.Segments, "bad times are passed on")
			require.Equal(t, 2*time.Hour, transcript.Elapsed)
			require.Equal(t, "de", transcript.Language)
		}
		require.Equal(t, []time.Duration{time.Hour, 2 * time.Hour}, heard)

		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, asr.ErrTimeout)
		defer cancel()
		require.Equal(t, []string{"1 failed: engine timed out"}, collect(ctx, fake, batch("a.wav")))
		ctx, cancel = context.WithTimeoutCause(t.Context(), time.Minute, asr.ErrTimeout)
		defer cancel()
		require.Equal(t, []string{"1 failed: engine timed out"}, collect(ctx, fake, batch("b.wav")))
		require.Equal(t, 2*time.Hour+2*time.Minute, time.Since(start))
	})
}

// A caller that breaks the engine's terms learns it.
func TestFakeInsists(t *testing.T) {
	fake := asrtest.NewFake(asrtest.Script{Engine: asr.Engine{MaxBatch: 2}})
	require.Equal(t, []string{"died: engine fake: 3 utterances in a call, but MaxBatch is 2"},
		collect(t.Context(), fake, batch("a", "b", "c")))
	twice := batch("a", "b")
	twice[1].ID = twice[0].ID
	require.Equal(t, []string{`died: engine fake: the ID "1" is empty or not unique in the batch`}, collect(t.Context(), fake, twice))
	for range fake.Transcribe(t.Context(), batch("a")) {
		require.Equal(t, []string{"died: engine fake: 2 calls at a time, but MaxParallel is 1"}, collect(t.Context(), fake, batch("a")))
	}
	require.Len(t, collect(t.Context(), fake, batch("a")), 1, "a call that was left has ended")
	require.NoError(t, fake.Close())
	require.NoError(t, fake.Close())
	require.Equal(t, []string{"died: engine fake: it is closed"}, collect(t.Context(), fake, batch("a")))
	require.Len(t, fake.Asked(), 6)
}

func TestFakeConcurrently(t *testing.T) {
	fake := asrtest.NewFake(asrtest.Script{Engine: asr.Engine{MaxBatch: 3, MaxParallel: 8}})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { collect(t.Context(), fake, batch("a", "b", "c")) })
	}
	group.Wait()
	require.Len(t, fake.Asked(), 8)
}

// The whole way of an application: files in, a journal out.
func TestFakeInRun(t *testing.T) {
	dir, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	for i, name := range []string{"hello.wav", "noise.wav"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), wave(float64(300+100*i)), 0o600))
	}
	root, err := tempdir.Open(t.Context(), filepath.Join(dir, "root"), tempdir.Options{MinFree: -1})
	require.NoError(t, err)
	journal, err := manifest.OpenJournal(t.Context(), filepath.Join(dir, "journal.jsonl"), manifest.Options{})
	require.NoError(t, err)
	defer journal.Close()

	fake := asrtest.NewFake(asrtest.Script{Answers: map[string]asrtest.Answer{"noise.wav": {Err: asr.ErrBadAudio}}})
	files := asr.Files(t.Context(), filepath.Join(dir, "hello.wav"), filepath.Join(dir, "noise.wav"))
	report, err := asr.Run(t.Context(), fake, files, asr.Options{Root: root, Journal: journal})
	require.ErrorIs(t, err, asr.ErrBadAudio)
	require.Equal(t, 1, report.Done)
	require.Equal(t, 1, report.Failed)
	require.Len(t, fake.Asked(), 2)
}
