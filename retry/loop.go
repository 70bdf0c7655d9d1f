package retry

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	retrygo "github.com/avast/retry-go/v4"
)

// again goes on after a first failure until the operation succeeds or is to be given up. denied, where it is not
// nil, finds out what an ERROR_ACCESS_DENIED means.
func (p Policy) again(ctx context.Context, op Op, first error, denied func(Op) Class, try func(attempt int) error) error {
	l := &loop{policy: p, ctx: ctx, op: op, denied: denied, attempts: 1, err: first, start: time.Now()}
	made := true // retry-go begins with a try, and ours has been made
	var timer reusedTimer
	defer timer.stop()
	err := retrygo.Do(
		func() error {
			if made {
				made = false
				return l.err
			}
			if ctx.Err() != nil { // a timer and a cancellation that come together are a toss-up in a select
				return retrygo.Unrecoverable(ctx.Err())
			}
			l.attempts++
			l.err = try(l.attempts)
			return l.err
		},
		retrygo.Context(ctx),
		retrygo.Attempts(0), // until goOn says no; with a bounded count every error is kept and printed
		retrygo.RetryIf(func(error) bool { return l.goOn() }),
		retrygo.DelayType(func(uint, error, *retrygo.Config) time.Duration { return l.wait() }),
		retrygo.WithTimer(&timer),
	)
	if err == nil {
		l.observe(Event{Done: true})
		return nil
	}
	return l.giveUp()
}

// loop is the state of one operation that has failed at least once.
type loop struct {
	policy Policy
	ctx    context.Context
	op     Op
	denied func(Op) Class

	start    time.Time // of the first failure
	suspect  time.Time // of the first in the current row of suspect errors
	attempts int
	waits    int
	err      error // of the last attempt
	class    Class // of err
	verdict  Class // what denied found; Unknown: not asked yet
}

// goOn decides after a failure whether there is another try.
func (l *loop) goOn() bool {
	l.class = l.judge()
	if !l.class.retriable() || l.ctx.Err() != nil {
		return false
	}
	if l.policy.Delays != nil && l.waits >= len(l.policy.Delays) {
		return false
	}
	return l.remaining() > 0
}

func (l *loop) judge() Class {
	c := l.policy.classify(l.op, l.err)
	if c == Suspect && l.denied != nil && codeOf(l.err) == codeAccessDenied {
		if l.verdict == Unknown {
			l.verdict = l.denied(l.op)
		}
		c = l.verdict
	}
	if c != Suspect {
		l.suspect = time.Time{}
	} else if l.suspect.IsZero() {
		l.suspect = time.Now()
	}
	return c
}

// remaining is the time until the last try.
func (l *loop) remaining() time.Duration {
	left := l.policy.budget() - time.Since(l.start)
	if !l.suspect.IsZero() {
		left = min(left, l.policy.suspect()-time.Since(l.suspect))
	}
	return left
}

// wait gives the time until the next try, which is never later than the deadline.
func (l *loop) wait() time.Duration {
	d := max(0, min(l.policy.delay(l.waits), l.remaining()))
	l.waits++
	l.observe(Event{Err: l.err, Delay: d})
	return d
}

// delay is the nth wait, from 0.
func (p Policy) delay(n int) time.Duration {
	if p.Delays != nil {
		return p.Delays[n]
	}
	if n == 0 {
		return 0
	}
	limit := p.MaxDelay
	if limit <= 0 {
		limit = defaultMaxDelay
	}
	step := limit
	if doubling := time.Millisecond << min(n-1, 30); doubling < limit {
		step = doubling
	}
	return step - step/4 + rand.N(step/2+1) // ±25 %, so that two programs do not keep step
}

func (l *loop) observe(e Event) {
	if l.policy.Observe == nil {
		return
	}
	e.Op = l.op
	e.Op.Attempt = l.attempts
	e.Waited = time.Since(l.start)
	l.policy.Observe(e)
}

func (l *loop) giveUp() error {
	op := l.op
	op.Attempt = l.attempts
	e := &Error{Op: op, Err: l.err, Class: l.class, Attempts: l.attempts, Waited: time.Since(l.start)}
	if l.class.retriable() && l.ctx.Err() != nil {
		e.Cause = context.Cause(l.ctx)
	}
	if l.class.retriable() && l.policy.Budget >= 0 {
		e.Holders = l.holders()
	}
	if l.attempts > 1 || l.class.retriable() {
		l.observe(Event{Err: e, Done: true})
	}
	return e
}

// holders asks once, at the end: the question is expensive on Windows.
func (l *loop) holders() []Holder {
	if l.ctx.Err() == context.Canceled {
		return nil // whoever cancels wants an answer now
	}
	ask := l.policy.Holders
	if ask == nil {
		ask = Holders
	}
	paths := l.op.paths()
	if pass, ok := errors.AsType[*passError](l.err); ok {
		paths = pass.left
	}
	found, err := ask(context.WithoutCancel(l.ctx), paths...)
	if err != nil {
		return nil // not knowing the holder is said in the message, and must not hide the error itself
	}
	return found
}

// reusedTimer is one timer for all waits of a loop.
type reusedTimer struct{ t *time.Timer }

func (r *reusedTimer) After(d time.Duration) <-chan time.Time {
	if r.t == nil {
		r.t = time.NewTimer(d)
	} else {
		r.t.Reset(d)
	}
	return r.t.C
}

func (r *reusedTimer) stop() {
	if r.t != nil {
		r.t.Stop()
	}
}
