package nemo_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/nemo"
)

func TestTranscribe(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		var steps []string
		var about nemo.Worker
		engine := b.open(t, nemo.Config{Batch: 4, Words: true, Trace: nemo.Trace{
			Step:  func(step string) { steps = append(steps, step) },
			Ready: func(w nemo.Worker) { about = w },
		}})
		require.Empty(t, steps, "a run that needs no transcript starts no process")
		require.Equal(t, 16, engine.Engine().MaxBatch)
		require.Equal(t, 5*time.Minute, engine.Engine().MaxAudio)

		batch, want := spoken(t, sentences...)
		got := run(t.Context(), engine, batch...)
		require.NoError(t, got.err)
		require.Equal(t, want, got.texts)
		require.Equal(t, []string{"importing NeMo", "loading the model"}, steps)
		require.Equal(t, "EncDecCTCModelBPE", about.Class)
		require.Equal(t, "cpu", about.Device)
		require.Contains(t, about.NeMo, "3.0.0")
		require.NotZero(t, about.PID)
		require.NotZero(t, about.Memory)

		for _, u := range batch {
			transcript := got.got[u.ID]
			var words []string
			last := time.Duration(0)
			for _, w := range transcript.Words {
				words = append(words, w.Text)
				require.GreaterOrEqual(t, w.Start, last)
				require.Greater(t, w.End, w.Start)
				last = w.End
			}
			require.LessOrEqual(t, last, u.Duration)
			require.Equal(t, want[u.ID], strings.Join(words, " "))
			require.Equal(t, want[u.ID], transcript.Segments[0].Text)
			require.NotZero(t, transcript.Elapsed)
		}

		// The process stays.
		pid := about.PID
		batch, want = spoken(t, "hello world")
		got = run(t.Context(), engine, batch...)
		require.Equal(t, want, got.texts)
		now, err := engine.Start(t.Context())
		require.NoError(t, err)
		require.Equal(t, pid, now.PID)
	})
}

// Without words the whole recording is one segment, and silence is a result.
func TestPlainText(t *testing.T) {
	b := fake(t)
	engine := b.open(t, nemo.Config{})
	batch, want := spoken(t, "hold fast")
	silence := record(t, t.TempDir(), "silence", make([]int16, rate))
	got := run(t.Context(), engine, append(batch, silence)...)
	want["silence"] = ""
	require.Equal(t, want, got.texts)
	require.Nil(t, got.got[batch[0].ID].Words)
	require.Equal(t, []asr.Segment{{End: batch[0].Duration, Text: "hold fast"}}, got.got[batch[0].ID].Segments)
	require.Empty(t, got.got["silence"].Segments)
}

// A process that has died is followed by another one.
func TestDeath(t *testing.T) {
	for name, c := range map[string]struct {
		fault int16
		want  string
	}{
		"exits":  {exits, "has ended (exit code 9); the engine said: the library gives up"},
		"killed": {killed, ""},
		"CUDA":   {cudaError, "illegal memory access"},
		"NeMo's": {unfreeze, "Cannot unfreeze partially"},
	} {
		t.Run(name, func(t *testing.T) {
			b := fake(t)
			engine := b.open(t, nemo.Config{Batch: 1})
			batch, want := spoken(t, "hello")
			poison := asking(t, "poison", c.fault, "the cat sat on a mat") // the longest is last
			got := run(t.Context(), engine, append(batch, poison)...)
			require.Equal(t, want, got.texts)
			require.Empty(t, got.failed)
			dead, ok := errors.AsType[*asr.EngineError](got.err)
			require.True(t, ok, "%v", got.err)
			require.False(t, dead.Fatal)
			require.ErrorContains(t, dead, c.want)

			got = run(t.Context(), engine, batch...)
			require.NoError(t, got.err)
			require.Equal(t, want, got.texts)
		})
	}
}

// A process that died while nobody used it costs nothing.
func TestDeathBetweenCalls(t *testing.T) {
	b := fake(t)
	engine := b.open(t, nemo.Config{})
	about, err := engine.Start(t.Context())
	require.NoError(t, err)
	kill(t, about.PID)
	batch, want := spoken(t, "hello")
	got := run(t.Context(), engine, batch...)
	if got.err != nil { // the kill was not seen yet
		got = run(t.Context(), engine, batch...)
	}
	require.NoError(t, got.err)
	require.Equal(t, want, got.texts)
}

func kill(t testing.TB, pid int) {
	t.Helper()
	process, err := os.FindProcess(pid)
	require.NoError(t, err)
	require.NoError(t, process.Kill())
}

// A process that does not stop when it is told to is killed.
func TestCancelOfAHang(t *testing.T) {
	b := fake(t)
	engine := b.open(t, nemo.Config{Batch: 1})
	batch, want := spoken(t, "hello")
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("enough")
	got := collect(func(yield func(asr.Transcript, error) bool) {
		for transcript, err := range engine.Transcribe(ctx, append(batch, asking(t, "hangs", hangs, "the cat sat on a mat"))) {
			cancel(stop) // after the first, while the second hangs
			if !yield(transcript, err) {
				return
			}
		}
	})
	require.NoError(t, got.err)
	require.Equal(t, want, got.texts)
	require.ErrorIs(t, got.failed["hangs"], stop)

	// To break out of the loop is the same.
	for range engine.Transcribe(t.Context(), append(batch, asking(t, "hangs", hangs, "the cat sat on a mat"))) {
		break
	}
	got = run(t.Context(), engine, batch...)
	require.Equal(t, want, got.texts)
}

// A process that stops in time stays.
func TestCancelBetweenBatches(t *testing.T) {
	b := fake(t)
	engine := b.open(t, nemo.Config{Batch: 1})
	before, err := engine.Start(t.Context())
	require.NoError(t, err)
	var batch []asr.Utterance
	for i := range 40 {
		batch = append(batch, asking(t, string(rune('A'+i)), slow, "hello"))
	}
	for transcript, err := range engine.Transcribe(t.Context(), batch) {
		require.NoError(t, err)
		require.Equal(t, "hello", transcript.Text)
		break
	}
	after, err := engine.Start(t.Context())
	require.NoError(t, err)
	require.Equal(t, before.PID, after.PID)
	got := run(t.Context(), engine, batch[0])
	require.Equal(t, map[string]string{"A": "hello"}, got.texts)
}

func TestCancelledContext(t *testing.T) {
	b := fake(t)
	engine := b.open(t, nemo.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	batch, _ := spoken(t, "hello", "world")
	got := run(ctx, engine, batch...)
	require.Len(t, got.failed, 2)
	require.ErrorIs(t, got.failed[batch[0].ID], context.Canceled)
}

func TestOutOfMemory(t *testing.T) {
	b := fake(t)
	engine := b.open(t, nemo.Config{})
	batch, want := spoken(t, sentences[:5]...)
	big := asking(t, "big", outOfMemoryInBatch, "voice note")
	want["big"] = "voice note"
	tooBig := asking(t, "too big", outOfMemory, "hold fast")
	got := run(t.Context(), engine, append(batch, big, tooBig)...)
	require.NoError(t, got.err)
	require.Equal(t, want, got.texts)
	require.ErrorIs(t, got.failed["too big"], asr.ErrOutOfMemory)
	require.ErrorContains(t, got.failed["too big"], "Tried to allocate 2.00 GiB")

	// The machine's memory may hold what the GPU's does not.
	t.Setenv("HOLDFAST_TEST_CUDA", "1")
	engine = b.open(t, nemo.Config{CPU: true})
	about, err := engine.Start(t.Context())
	require.NoError(t, err)
	require.Equal(t, "cuda", about.Device)
	got = run(t.Context(), engine, append(batch, big, tooBig)...)
	want["too big"] = "hold fast"
	require.Equal(t, want, got.texts)
	require.Empty(t, got.failed)
}

// A batch that fails is tried item by item.
func TestBatchFails(t *testing.T) {
	b := fake(t)
	engine := b.open(t, nemo.Config{})
	batch, want := spoken(t, sentences[:3]...)
	together := asking(t, "together", failingInBatch, "hold fast")
	want["together"] = "hold fast"
	got := run(t.Context(), engine, append(batch, together, asking(t, "alone", failing, "hello"))...)
	require.Equal(t, want, got.texts)
	require.ErrorContains(t, got.failed["alone"], "RuntimeError: the forward pass failed")
}

func TestRecycle(t *testing.T) {
	b := fake(t)
	for name, r := range map[string]nemo.Recycle{
		"utterances": {Utterances: 2},
		"memory":     {Memory: 1},
		"age":        {Age: 1},
	} {
		t.Run(name, func(t *testing.T) {
			var processes int
			engine := b.open(t, nemo.Config{Recycle: r, Trace: nemo.Trace{Ready: func(nemo.Worker) { processes++ }}})
			batch, want := spoken(t, "hello", "world")
			for range 3 {
				require.Equal(t, want, run(t.Context(), engine, batch...).texts)
			}
			require.Equal(t, 3, processes)
		})
	}
}

func TestClose(t *testing.T) {
	b := fake(t)
	engine := b.open(t, nemo.Config{})
	batch, want := spoken(t, "hello")
	require.Equal(t, want, run(t.Context(), engine, batch...).texts)
	require.NoError(t, engine.Close())
	got := run(t.Context(), engine, batch...)
	dead, ok := errors.AsType[*asr.EngineError](got.err)
	require.True(t, ok)
	require.True(t, dead.Fatal)

	// Under a call that hangs, by another goroutine or by the loop itself.
	for _, stop := range []func(*nemo.Transcriber){
		func(engine *nemo.Transcriber) { go engine.Close() },
		func(engine *nemo.Transcriber) { engine.Close() },
	} {
		engine = b.open(t, nemo.Config{Batch: 1})
		hanging := append(batch, asking(t, "hangs", hangs, "the cat sat on a mat"))
		got = collect(func(yield func(asr.Transcript, error) bool) {
			for transcript, err := range engine.Transcribe(t.Context(), hanging) {
				stop(engine)
				if !yield(transcript, err) {
					return
				}
			}
		})
		require.Equal(t, want, got.texts)
		dead, ok = errors.AsType[*asr.EngineError](got.err)
		require.True(t, ok)
		require.True(t, dead.Fatal)
		require.ErrorContains(t, dead, "closed")
	}
}
