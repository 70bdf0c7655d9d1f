package asr_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
)

// Calls of the engine run at the same time, as many as it bears or as were asked
// for.
func TestMaxParallel(t *testing.T) {
	for _, c := range []struct{ engine, option, want int }{{0, 0, 1}, {0, 4, 1}, {3, 0, 3}, {3, 2, 2}, {3, 9, 3}} {
		b := newBench(t, 12)
		synctest.Test(t, func(t *testing.T) {
			engine := &fake{parallel: c.engine}
			var now, most atomic.Int32
			engine.answer = func(_ context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				<-time.After(time.Minute)
				now.Add(-1)
				yield(engine.hear(batch[0]), nil)
			}
			o := b.options()
			o.MaxParallel = c.option
			start := time.Now()
			report, err := asr.Run(t.Context(), engine, b.files(), o)
			require.NoError(t, err)
			require.Equal(t, 12, report.Done)
			require.EqualValues(t, c.want, most.Load())
			require.Equal(t, time.Duration(12/c.want)*time.Minute, time.Since(start))
		})
		require.Len(t, b.kept(), 12)
		b.requireNoScope()
	}
}

// A caller who is slow to take results costs the engine no time of its limit.
func TestSlowCallerIsNoTimeout(t *testing.T) {
	b := newBench(t, 4)
	synctest.Test(t, func(t *testing.T) {
		engine := &fake{batch: 4}
		engine.answer = func(ctx context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
			for _, u := range batch {
				select {
				case <-time.After(4 * time.Minute):
				case <-ctx.Done():
					yield(asr.Transcript{}, &asr.UtteranceError{ID: u.ID, Err: context.Cause(ctx)})
					return
				}
				yield(engine.hear(u), nil)
			}
		}
		o := b.options()
		o.Timeout = func(time.Duration) time.Duration { return 17 * time.Minute }
		for _, err := range asr.Stream(t.Context(), engine, b.files(), o) {
			require.NoError(t, err)
			<-time.After(time.Hour)
		}
	})
}

// A batch that takes too long is taken apart: the one that hangs is found, and
// costs no other.
func TestTimeoutInBatch(t *testing.T) {
	b := newBench(t, 4)
	synctest.Test(t, func(t *testing.T) {
		engine := &fake{batch: 4}
		engine.answer = func(ctx context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
			for _, u := range batch {
				if filepath.Base(u.Source.AudioPath) == "001.wav" {
					<-ctx.Done()
					return
				}
				yield(engine.hear(u), nil)
			}
		}
		report, err := asr.Run(t.Context(), engine, b.files(), b.options())
		require.ErrorIs(t, err, asr.ErrTimeout)
		require.ErrorContains(t, err, "001.wav")
		require.Equal(t, 3, report.Done)
		require.Equal(t, 1, report.Failed)
	})
}

// What lies before an input's end by an error is transcribed all the same.
func TestInputEndsByAnError(t *testing.T) {
	b := newBench(t, 3)
	broken := errors.New("connection lost")
	in := func(yield func(manifest.Entry, error) bool) {
		for e, err := range b.files() {
			if !yield(e, err) {
				return
			}
		}
		yield(manifest.Entry{}, broken)
	}
	report, err := asr.Run(t.Context(), &fake{batch: 2}, in, b.options())
	require.ErrorIs(t, err, broken)
	require.Equal(t, 3, report.Done)
}

// What needs no engine is shown as soon as it is its turn, also where the input
// has nothing more to give for a while.
func TestSlowInput(t *testing.T) {
	b := newBench(t, 3)
	_, err := asr.Run(t.Context(), &fake{}, b.files(), b.options())
	require.NoError(t, err)
	names := []string{"000.wav", "absent.wav", "new.wav", "001.wav", "absent.wav", "002.wav"}
	b.record("new.wav", wav(9, time.Second))
	for _, batch := range []int{1, 2} { // with 2, new.wav is alone in it and waits for the end
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			in := func(yield func(manifest.Entry, error) bool) {
				for _, name := range names {
					if !yield(manifest.Entry{AudioPath: filepath.Join(b.dir, name)}, nil) {
						return
					}
					<-time.After(time.Hour)
				}
			}
			engine := &fake{batch: batch}
			engine.answer = func(_ context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
				<-time.After(100 * time.Minute)
				yield(asr.Transcript{}, &asr.UtteranceError{ID: batch[0].ID, Err: asr.ErrNoResult})
			}
			var shown []string
			for transcript, err := range asr.Stream(t.Context(), engine, in, b.options()) {
				path := transcript.Source.AudioPath
				for failed := range asr.Failures(err) {
					path = failed.Path
				}
				shown = append(shown, fmt.Sprintf("%s %v", filepath.Base(path), time.Since(start).Minutes()))
			}
			want := []string{"000.wav 0", "absent.wav 60", "new.wav 220", "001.wav 220", "absent.wav 240", "002.wav 300"}
			if batch == 2 {
				want = []string{"000.wav 0", "absent.wav 60", "001.wav 180", "absent.wav 240", "002.wav 300", "new.wav 460"}
			}
			require.Equal(t, want, shown)
		})
	}
}

// Memory does not grow with the length of the input.
func TestMemoryIsFlat(t *testing.T) {
	const entries = 200_000
	b := newBench(t, 1)
	path := filepath.Join(b.dir, "000.wav")
	var early, late uint64
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	in := func(yield func(manifest.Entry, error) bool) {
		for n := range entries {
			switch n {
			case 1000:
				early = heap()
			case entries - 1:
				late = heap()
			}
			if !yield(manifest.Entry{AudioPath: path}, nil) {
				return
			}
		}
	}
	report, err := asr.Run(t.Context(), &fake{}, in, b.options())
	require.NoError(t, err)
	require.Equal(t, entries-1, report.Resumed)
	require.Less(t, late, early+8<<20)
}

// Progress counts seconds of audio, also within a recording, and says when all
// that is expected will be done.
func TestProgress(t *testing.T) {
	b := newBench(t, 0)
	b.record("a.wav", speech(20)) // 30 s
	b.record("b.wav", speech(40)) // 60 s
	synctest.Test(t, func(t *testing.T) {
		engine := listener(0)
		engine.answer = func(_ context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
			u := batch[0]
			heard := u.Heard
			u.Heard = func(s asr.Segment) {
				<-time.After(150 * time.Millisecond) // ten times as fast as it is spoken
				heard(s)
			}
			yield(listen(u), nil)
			heard(asr.Segment{End: time.Hour, Text: "too late"})
		}
		var all []asr.Progress
		o := b.options()
		o.Expect = asr.Amount{Utterances: 2, Audio: 90 * time.Second}
		o.Trace.Progress = func(p asr.Progress) { all = append(all, p) }
		_, err := asr.Run(t.Context(), engine, b.files(), o)
		require.NoError(t, err)
		for i, p := range all[1:] {
			require.GreaterOrEqual(t, p.Audio, all[i].Audio)
			require.LessOrEqual(t, p.Audio, 90*time.Second)
		}
		middle := all[len(all)/2]
		require.InDelta(t, 10, middle.RTFx(), 1)
		require.InDelta(t, (90*time.Second-middle.Audio).Seconds()/10, middle.ETA.Seconds(), 1)
		last := all[len(all)-1]
		require.Equal(t, 2, last.Done)
		require.Equal(t, 90*time.Second, last.Audio)
		require.Zero(t, last.ETA)
	})
}

// Work for centuries has no ETA, and not one in the past.
func TestProgressOfEndlessWork(t *testing.T) {
	b := newBench(t, 2)
	synctest.Test(t, func(t *testing.T) {
		engine := &fake{}
		engine.answer = func(_ context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
			<-time.After(10 * time.Minute)
			yield(engine.hear(batch[0]), nil)
		}
		o := b.options()
		o.Expect = asr.Amount{Audio: 100 * 365 * 24 * time.Hour}
		o.Trace.Progress = func(p asr.Progress) { require.GreaterOrEqual(t, p.ETA, time.Duration(0)) }
		_, err := asr.Run(t.Context(), engine, b.files(), o)
		require.NoError(t, err)
	})
}
