package asrtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/asr"
)

// checkBreak leaves the loop after the first result.
func (s *suite) checkBreak(t *testing.T) {
	p := s.session
	idle := p.idle(t)
	sounds := s.long(p.about)
	if len(sounds) == 1 {
		sounds = []sound{silence(time.Second)} // the first result is the last
	}
	c := p.start(t.Context(), p.utterances(t, sounds...), func(int) bool { return false })
	c.wait(t)
	if c.elements == 0 {
		t.Error("yield: nothing came")
	}
	p.stopped(t, idle)
}

// checkCancel cancels a call while the engine works.
func (s *suite) checkCancel(t *testing.T) {
	p := s.session
	idle := p.idle(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := p.start(ctx, p.utterances(t, s.long(p.about)...), nil)
	select {
	case <-c.working:
	case <-c.done:
	case <-time.After(500 * time.Millisecond):
	}
	before := c.count()
	cancel()
	at := time.Now()
	c.wait(t)
	after := time.Since(at)
	t.Logf("Transcribe returned %v after the cancel: %v", after.Round(time.Millisecond), c)
	// An engine that is done in no time need not stop.
	if len(c.transcripts) == len(c.batch) && before < len(c.batch) && after > time.Second {
		t.Errorf("cancel: it was ignored: the engine worked on for %v and gave everything", after.Round(time.Millisecond))
	}
	if dead, ok := errors.AsType[*asr.EngineError](c.err); ok && dead.Fatal {
		t.Errorf("cancel: a fatal error for a call that was cancelled: %v", dead)
	}
	p.stopped(t, idle)
}

// checkCancelledBefore calls with a context that is over.
func (s *suite) checkCancelledBefore(t *testing.T) {
	p := s.session
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := p.start(ctx, p.utterances(t, silence(2*time.Second)), nil)
	c.wait(t)
	if len(c.transcripts) > 0 {
		t.Error("cancel: the context was over before the call, and the engine worked all the same")
	}
	if dead, ok := errors.AsType[*asr.EngineError](c.err); ok && dead.Fatal {
		t.Errorf("cancel: a fatal error for a call that was cancelled: %v", dead)
	}
	p.works(t)
}

// idle makes a call and gives the number of processes that the engine keeps
// after it.
func (p *session) idle(t *testing.T) int {
	t.Helper()
	p.works(t)
	return len(p.started())
}

// works wants the engine to answer.
func (p *session) works(t *testing.T) {
	t.Helper()
	if !p.unusable {
		p.transcribe(t, p.utterances(t, silence(time.Second)))
	}
}

// stopped wants no process that goes on after a call that was stopped, and an
// engine that works again.
func (p *session) stopped(t *testing.T, idle int) {
	t.Helper()
	p.settle(t, "after the call was stopped", func() []string {
		if now := p.started(); len(now) > idle {
			return []string{fmt.Sprintf("processes: the engine has %v running; when idle it had %d", now, idle)}
		}
		return nil
	})
	p.works(t)
}

// checkParallel makes as many calls at the same time as the engine takes, with
// equal IDs, which are unique in a batch only.
func (s *suite) checkParallel(t *testing.T) {
	p := s.session
	most := min(max(1, p.about.MaxParallel), 4)
	t.Logf("MaxParallel is %d: %d calls at a time", p.about.MaxParallel, most)
	sounds := append([]sound{tone(440, time.Second)}, s.speech...)
	var calls []*call
	for i := range max(2, most) {
		one := sounds[i%len(sounds)]
		u := p.utterance(t, one)
		u.ID = "00000000000000aa"
		c := p.start(t.Context(), []asr.Utterance{u}, nil)
		calls = append(calls, c)
		if most == 1 {
			c.wait(t)
		}
	}
	for i, c := range calls {
		c.wait(t)
		c.complete(t)
		one := sounds[i%len(sounds)]
		if answer, ok := c.transcripts["00000000000000aa"]; ok && one.text != "" {
			s.compare(t, fmt.Sprintf("call %d of %d", i+1, len(calls)), one.text, answer.Text)
		}
	}
}

// checkKill kills the engine while it works, and again while it does not.
func (s *suite) checkKill(t *testing.T) {
	demand(t, true, "Kill", s.harness.NoKill)
	p := s.session
	p.works(t)
	batch := p.utterances(t, s.long(p.about)...)
	killed := false
	for range 5 {
		c := p.start(t.Context(), batch, nil)
		killed = s.kill(t, c)
		c.wait(t)
		if killed {
			c.survived(t)
			break
		}
	}
	if !killed {
		t.Error("kill: no process of the engine was seen while it worked; give Harness.Kill, or say in NoKill why not")
	}
	p.works(t)
	if p.unusable || s.harness.Kill != nil || len(p.started()) == 0 {
		return
	}
	for _, process := range p.started() {
		process.kill()
	}
	c := p.start(t.Context(), p.utterances(t, silence(time.Second)), nil)
	c.wait(t)
	c.survived(t)
	p.works(t)
}

// kill kills the engine during a call, if that lasts long enough.
func (s *suite) kill(t *testing.T, c *call) bool {
	t.Helper()
	if s.harness.Kill != nil {
		if err := s.harness.Kill(c.session.engine); err != nil {
			t.Errorf("Harness.Kill: %v", err)
		}
		return true
	}
	for {
		victims := c.session.started()
		select {
		case <-c.done:
			return false
		case <-time.After(time.Millisecond):
		}
		killed := false
		for _, process := range victims {
			killed = process.kill() || killed
		}
		if killed {
			return true
		}
	}
}

// survived wants the call whose engine was killed to say so, and to blame no
// utterance. An engine that went on all the same must have answered everything.
func (c *call) survived(t *testing.T) {
	t.Helper()
	for id, err := range c.failures {
		t.Errorf("kill: the engine was killed, and %s is blamed for it: %v", id, err)
	}
	if c.err == nil {
		c.answered(t)
	}
	t.Logf("the killed engine gave %v", c)
}

func (c *call) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.elements
}
