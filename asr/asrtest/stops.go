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

// checkBreak leaves the loop after the first result.
func (s *suite) checkBreak(t *testing.T) {
	p := s.session
	idle := p.idle(t)
	sounds := s.long(p.about)
	if len(sounds) == 1 {
		sounds = []sound{silence(time.Second)} // the first result is the last
	}
	c := p.start(t.Context(), p.utterances(t, sounds...), reaction{leave: true})
	c.wait(t)
	if c.elements == 0 {
		t.Error("yield: nothing came")
	}
	p.stopped(t, idle)
}

// checkCancel cancels calls: one that has just begun, and one that is under way.
func (s *suite) checkCancel(t *testing.T) {
	p := s.session
	for _, one := range []struct {
		name  string
		after time.Duration
	}{{"begun", 20 * time.Millisecond}, {"under way", 500 * time.Millisecond}} {
		t.Run(one.name, func(t *testing.T) {
			if p.unusable {
				t.Skip("the engine was cancelled before and cannot be used any more")
			}
			p.cancel(t, one.after)
		})
	}
}

// cancel cancels a call after a while, or as soon as the engine has given
// anything.
func (p *session) cancel(t *testing.T, after time.Duration) {
	idle := p.idle(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var once sync.Once
	var at time.Time
	stop := func() { once.Do(func() { at = time.Now(); cancel() }) }
	timer := time.AfterFunc(after, stop)
	defer timer.Stop()
	c := p.start(ctx, p.utterances(t, p.suite.long(p.about)...), reaction{works: stop})
	c.wait(t)
	stop()
	took := time.Since(at)
	t.Logf("Transcribe returned %v after the cancel: %v", took.Round(time.Millisecond), c)
	// An engine that is done in no time need not stop.
	if len(c.transcripts) == len(c.batch) && took > time.Second {
		t.Errorf("cancel: it was ignored: the engine worked on for %v and gave everything", took.Round(time.Millisecond))
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
	c := p.start(ctx, p.utterances(t, silence(2*time.Second)), reaction{})
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
	const id = "00000000000000aa"
	sounds := append([]sound{tone(440, time.Second)}, s.speech...)
	var batches [][]asr.Utterance
	for i := range max(2, most) {
		u := p.utterance(t, sounds[i%len(sounds)])
		u.ID = id
		batches = append(batches, []asr.Utterance{u})
	}
	var calls []*call
	for _, batch := range batches {
		calls = append(calls, p.start(t.Context(), batch, reaction{}))
		if most == 1 {
			calls[len(calls)-1].wait(t)
		}
	}
	for i, c := range calls {
		c.wait(t)
		c.complete(t)
		one := sounds[i%len(sounds)]
		if answer, ok := c.transcripts[id]; ok && one.text != "" {
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
	seen, died := false, false
	for range 5 {
		c := p.start(t.Context(), batch, reaction{})
		killed := s.kill(t, c)
		c.wait(t)
		if killed {
			c.survived(t)
		}
		seen, died = seen || killed, died || c.err != nil || len(c.failures) > 0
		if died || p.unusable || seen && s.harness.Kill == nil {
			break
		}
	}
	switch {
	case !seen:
		t.Error("kill: no process of the engine was seen while it worked; give Harness.Kill, or say in NoKill why not")
	case !died && s.harness.Kill != nil:
		t.Error("kill: Harness.Kill was called five times during calls, and all went on as if it had not been")
	}
	p.works(t)
	if p.unusable || s.harness.Kill != nil || len(p.started()) == 0 {
		return
	}
	for _, process := range p.started() {
		process.kill()
	}
	c := p.start(t.Context(), p.utterances(t, silence(time.Second)), reaction{})
	c.wait(t)
	c.survived(t)
	p.works(t)
}

// kill kills the engine during a call, if that lasts long enough.
func (s *suite) kill(t *testing.T, c *call) bool {
	t.Helper()
	if s.harness.Kill != nil {
		ctx, cancel := context.WithTimeout(t.Context(), s.patience)
		defer cancel()
		go func() {
			<-c.done
			cancel()
		}()
		if err := s.harness.Kill(ctx, c.session.engine); err != nil {
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
			killed = !process.ended && process.kill() || killed
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
