package asr

import (
	"math"
	"sync"
	"time"
)

// Amount is a number of utterances and the length of their audio.
type Amount struct {
	Utterances int
	Audio      time.Duration
}

// Progress says how far a run is.
type Progress struct {
	Done, Resumed, Failed int           // utterances
	Audio                 time.Duration // transcribed in this run, as far as it is known: also within a recording
	Elapsed               time.Duration // since the engine got its first utterance; 0: it has none yet
	ETA                   time.Duration // until all that was expected is done; 0: unknown
}

// RTFx is how many seconds of audio are transcribed in a second of wall time.
func (p Progress) RTFx() float64 { return rtfx(p.Audio, p.Elapsed) }

func rtfx(audio, elapsed time.Duration) float64 {
	if elapsed <= 0 {
		return 0
	}
	return audio.Seconds() / elapsed.Seconds()
}

// watch tells the caller what is going on, one call at a time.
type watch struct {
	trace  Trace
	expect Amount

	mu    sync.Mutex
	now   Progress
	begun time.Time
	past  time.Duration            // audio that is settled, resumed and failed among it
	here  map[string]time.Duration // how far the engine is in what it has
}

func newWatch(o Options) *watch {
	return &watch{trace: o.Trace, expect: o.Expect, here: make(map[string]time.Duration)}
}

func (w *watch) start(t task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun.IsZero() {
		w.begun = time.Now()
	}
	w.here[t.key] = 0
	if w.trace.Start != nil {
		w.trace.Start(t.Utterance)
	}
}

// heard is what an engine calls with each segment that it hears.
func (w *watch) heard(t task) func(Segment) {
	if w.trace.Segment == nil && w.trace.Progress == nil {
		return nil
	}
	var from time.Duration
	whole := t.Utterance
	if t.of != nil {
		from, whole = t.of.starts[t.part], t.of.Utterance
	}
	return func(s Segment) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if _, ok := w.here[t.key]; !ok {
			return
		}
		w.here[t.key] = min(max(w.here[t.key], s.End), t.Duration)
		if w.trace.Segment != nil {
			s.Start, s.End = s.Start+from, s.End+from
			w.trace.Segment(whole, s)
		}
		w.tell()
	}
}

// left says that an utterance is no longer with the engine, with or without a
// transcript.
func (w *watch) left(t task, done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.here, t.key)
	if done {
		w.now.Audio += t.Duration
	}
	w.past += t.Duration
	w.tell()
}

// known says that a part was transcribed in an earlier run.
func (w *watch) known(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.past += d
}

// settled counts an entry of the input.
func (w *watch) settled(o outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case o.failed != nil:
		w.now.Failed++
	case o.transcript.Resumed:
		w.now.Resumed++
		w.past += o.transcript.Duration
	default:
		w.now.Done++
	}
	w.tell()
}

func (w *watch) restart(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.trace.Restart != nil {
		w.trace.Restart(err)
	}
}

func (w *watch) tell() {
	if w.trace.Progress == nil {
		return
	}
	p := w.now
	past := w.past
	for _, d := range w.here {
		p.Audio += d
		past += d
	}
	if !w.begun.IsZero() {
		p.Elapsed = time.Since(w.begun)
	}
	if speed := p.RTFx(); speed > 0 && w.expect.Audio > past {
		if eta := float64(w.expect.Audio-past) / speed; eta < math.MaxInt64 {
			p.ETA = time.Duration(eta)
		}
	}
	w.trace.Progress(p)
}
