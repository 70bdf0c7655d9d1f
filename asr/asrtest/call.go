package asrtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/asr"
)

// call is one call of Transcribe, observed.
type call struct {
	session *session
	batch   []asr.Utterance
	before  map[string]string // the recordings' files
	react   reaction
	done    chan struct{} // closed when the sequence has ended

	// What follows is final once done is closed, but for violations.
	transcripts map[string]asr.Transcript
	failures    map[string]*asr.UtteranceError
	err         error // that ended the sequence

	mu         sync.Mutex
	loop       string // the goroutine of the loop
	elements   int
	broken     bool // the loop was left
	ended      bool
	heard      map[string]time.Duration // where the last segment began
	violations []string
}

// reaction is what a check does while the engine works.
type reaction struct {
	leave bool   // leave the loop at the first element
	works func() // called at the first element or preview; or nil
}

func (r reaction) begin() {
	if r.works != nil {
		r.works()
	}
}

// start calls Transcribe in a goroutine.
func (p *session) start(ctx context.Context, batch []asr.Utterance, react reaction) *call {
	c := &call{
		session: p, before: map[string]string{},
		react: react, done: make(chan struct{}),
		transcripts: map[string]asr.Transcript{}, failures: map[string]*asr.UtteranceError{},
		heard: map[string]time.Duration{},
	}
	p.calls = append(p.calls, c)
	for _, u := range batch {
		c.before[u.Path] = describe(u.Path)
		u.Heard = func(s asr.Segment) { c.hear(u, s) }
		c.batch = append(c.batch, u)
	}
	handed := append([]asr.Utterance(nil), c.batch...)
	go func() {
		defer close(c.done)
		c.loop = goroutine()
		p.engine.Transcribe(ctx, handed)(c.yield)
		c.mu.Lock()
		c.ended = true
		c.mu.Unlock()
	}()
	return c
}

// wait waits for the end of the sequence and reports what broke the rules.
func (c *call) wait(t *testing.T) {
	t.Helper()
	p := c.session
	select {
	case <-c.done:
	case <-time.After(p.suite.patience):
		p.unusable = true
		t.Fatalf("Transcribe did not return within %v:\n%s", p.suite.patience, hanging())
	}
	c.report(t)
	p.checkFiles(t, c.batch, c.before)
	if dead, ok := errors.AsType[*asr.EngineError](c.err); ok && dead.Fatal {
		p.unusable = true
	}
}

// report reports violations, each once. Some come after the end.
func (c *call) report(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.violations {
		t.Error(v)
	}
	c.violations = nil
}

// transcribe makes a call in which nothing goes wrong: it wants a transcript
// for every utterance.
func (p *session) transcribe(t *testing.T, batch []asr.Utterance) *call {
	t.Helper()
	c := p.start(t.Context(), batch, reaction{})
	c.wait(t)
	c.complete(t)
	return c
}

// complete wants a transcript for every utterance.
func (c *call) complete(t *testing.T) {
	t.Helper()
	if c.err != nil {
		t.Errorf("the engine died: %v", c.err)
		return
	}
	for i, u := range c.batch {
		if err := c.failures[u.ID]; err != nil {
			t.Errorf("%s failed: %v", c.name(i), err)
		}
	}
	c.answered(t)
}

// answered wants an answer for every utterance.
func (c *call) answered(t *testing.T) {
	t.Helper()
	for i, u := range c.batch {
		_, ok := c.transcripts[u.ID]
		if c.failures[u.ID] == nil && !ok {
			t.Errorf("ids: %s was skipped: it has neither a transcript nor an error", c.name(i))
		}
	}
}

func (c *call) name(i int) string {
	return fmt.Sprintf("utterance %d of %d (%s)", i+1, len(c.batch), c.batch[i].ID)
}

// String sums the call up.
func (c *call) String() string {
	s := fmt.Sprintf("%d transcripts, %d failures", len(c.transcripts), len(c.failures))
	if c.err != nil {
		s += fmt.Sprintf(", then the error %v", c.err)
	}
	return s
}

// violate notes that a rule was broken. c.mu is held.
func (c *call) violate(format string, args ...any) {
	c.violations = append(c.violations, fmt.Sprintf(format, args...))
}

// yield takes an element of the sequence.
func (c *call) yield(t asr.Transcript, err error) bool {
	c.react.begin()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loop != goroutine() && !c.ended {
		c.violate("yield: called by another goroutine than the loop's")
	}
	switch {
	case c.ended:
		c.violate("yield: called after Transcribe had returned")
	case c.broken:
		c.violate("yield: called again after the loop was left")
	case c.err != nil:
		c.violate("yield: the sequence went on after the engine's error: %v", c.err)
	default:
		c.take(t, err)
		c.elements++
		c.broken = c.react.leave
	}
	return !c.broken
}

// take keeps an element under its utterance. c.mu is held.
func (c *call) take(t asr.Transcript, err error) {
	id := t.ID
	failed, isUtterance := errors.AsType[*asr.UtteranceError](err)
	switch {
	case isUtterance:
		id = failed.ID
	case err != nil:
		c.err = err
		return
	}
	i := c.find(id)
	_, transcribed := c.transcripts[id]
	switch {
	case i < 0:
		c.violate("ids: an answer for %q, which is not in the batch", id)
	case transcribed || c.failures[id] != nil:
		c.violate("ids: %s was answered twice", c.name(i))
	case isUtterance:
		c.failures[id] = failed
	default:
		c.transcripts[id] = t
		for _, v := range broken(t, c.batch[i].Duration) {
			c.violate("%s: %s", c.name(i), v)
		}
	}
}

func (c *call) find(id string) int {
	for i, u := range c.batch {
		if u.ID == id {
			return i
		}
	}
	return -1
}

// hear takes a preview.
func (c *call) hear(u asr.Utterance, s asr.Segment) {
	c.react.begin()
	c.mu.Lock()
	defer c.mu.Unlock()
	_, transcribed := c.transcripts[u.ID]
	last := c.heard[u.ID]
	switch name := c.name(c.find(u.ID)); {
	case c.ended:
		c.violate("heard: %s: called after Transcribe had returned", name)
	case transcribed || c.failures[u.ID] != nil:
		c.violate("heard: %s: called after its answer", name)
	case s.Start < last:
		c.violate("heard: %s: a segment from %v follows one from %v", name, s.Start, last)
	default:
		if v := outside(s.Start, s.End, u.Duration); v != "" {
			c.violate("heard: %s: a segment %s", name, v)
		}
	}
	c.heard[u.ID] = s.Start
}
