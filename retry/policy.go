package retry

import (
	"context"
	"time"
)

// Policy says how long and how often an operation is tried. The zero value is the default: a second try at once,
// then after 1, 2, 4 … 64 and 100, 100 … ms, each ±25 %, and the last try exactly 10 s after the first failure.
//
// Go's own tools stop at 2 s and MSBuild at 10; locks of virus scanners mostly last 10 ms to 2 s and seldom
// longer than 10. Doubling delays without a cap make the caller wait about as long again as the lock lasted.
type Policy struct {
	// Budget is the time for a held file, counted from the first failure. 0: 10 s. Negative: one try.
	Budget time.Duration
	// Suspect is the time for errors that may be a held file or missing permissions. 0: 2 s.
	Suspect time.Duration
	// MaxDelay caps the wait between two tries. 0: 100 ms.
	MaxDelay time.Duration
	// Delays, where it is set, are the exact waits; after them the operation is given up. Budget and Suspect then
	// count only where they are set.
	Delays []time.Duration
	// Classify is asked before the built-in table; Unknown leaves the decision to the table. A sync is never tried
	// again, whatever it says. On a network mount it can widen the table.
	Classify func(Op, error) Class
	// Observe is told of every wait, every late success and every surrender. It may be called by several
	// goroutines at once and must not block.
	Observe func(Event)
	// Holders names the processes that hold a file, for the error after the last try. nil: [Holders].
	Holders func(ctx context.Context, paths ...string) ([]Holder, error)
}

// Classic is the policy with the well-known waits of 0.5, 1, 1.5 and 2 s: five tries in 5 s.
func Classic() Policy {
	return Policy{Delays: []time.Duration{
		500 * time.Millisecond, time.Second, 1500 * time.Millisecond, 2 * time.Second,
	}}
}

// Event is what [Policy.Observe] is told.
type Event struct {
	Op     Op
	Err    error         // of the last try; nil for a late success
	Delay  time.Duration // the wait before the next try; 0 once Done
	Waited time.Duration // since the first failure
	Done   bool          // it succeeded late (Err nil) or was given up
}

const (
	defaultBudget   = 10 * time.Second
	defaultSuspect  = 2 * time.Second
	defaultMaxDelay = 100 * time.Millisecond
	endless         = time.Duration(1<<63 - 1)
)

func (p Policy) budget() time.Duration {
	if p.Budget == 0 {
		if p.Delays != nil {
			return endless
		}
		return defaultBudget
	}
	return p.Budget
}

func (p Policy) suspect() time.Duration {
	if p.Suspect == 0 {
		if p.Delays != nil {
			return endless
		}
		return defaultSuspect
	}
	return p.Suspect
}

func (p Policy) classify(op Op, err error) Class {
	if op.Kind == OpSync || op.Kind == OpSyncDir {
		return Permanent
	}
	if p.Classify != nil {
		if c := p.Classify(op, err); c != Unknown {
			return c
		}
	}
	return Classify(op, err)
}

// Do runs f, and again as long as its error is one that passes by itself. It is for operations that [FS] lacks;
// op is for the classification, for the error and for Observe. A cancelled context runs nothing.
func (p Policy) Do(ctx context.Context, op Op, f func() error) error {
	if ctx.Err() != nil {
		return notTried(ctx, op)
	}
	op.Attempt = 1
	err := f()
	if err == nil {
		return nil
	}
	return p.again(ctx, op, err, nil, func(int) error { return f() })
}
