package asr

import (
	"context"
	"fmt"
	"time"
)

// limit is how long the engine may take. It stands still while the engine is
// not waited for: a caller who is slow to take results costs the engine nothing.
type limit struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	left   time.Duration
	since  time.Time
}

func newLimit(ctx context.Context, d time.Duration) *limit {
	l := &limit{left: d, since: time.Now()}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	l.timer = time.AfterFunc(d, func() { l.cancel(fmt.Errorf("%w after %v", ErrTimeout, d)) })
	return l
}

func (l *limit) pause() {
	l.timer.Stop()
	l.left = max(0, l.left-time.Since(l.since))
}

func (l *limit) resume() {
	l.since = time.Now()
	l.timer.Reset(l.left)
}

func (l *limit) end() {
	l.timer.Stop()
	l.cancel(context.Canceled)
}
