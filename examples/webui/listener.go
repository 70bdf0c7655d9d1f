package main

import (
	"context"
	"slices"
	"sync"

	"github.com/holdfast-go/holdfast/asr"
)

// listener brings what an engine hears into a job's history, without keeping
// the engine waiting for the disk.
type listener struct {
	history *history
	added   func() // the history has grown
	failed  func(error)

	mu      sync.Mutex
	pending []asr.Segment
	closed  bool
	wake    chan struct{}
	ended   chan struct{}
}

func listenInto(h *history, added func(), failed func(error)) *listener {
	l := &listener{history: h, added: added, failed: failed, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go l.run()
	return l
}

func (l *listener) heard(s asr.Segment) {
	l.mu.Lock()
	l.pending = append(l.pending, s)
	l.mu.Unlock()
	l.signal()
}

// finish waits until all that was heard is kept.
func (l *listener) finish() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.signal()
	<-l.ended
}

func (l *listener) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *listener) run() {
	defer close(l.ended)
	shown := l.history.shown()
	for range l.wake {
		l.mu.Lock()
		pending, closed := l.pending, l.closed
		l.pending = nil
		l.mu.Unlock()
		// After a restart the engine hears again what is shown already.
		pending = slices.DeleteFunc(pending, func(s asr.Segment) bool {
			return len(shown) > 0 && s.Start < shown[len(shown)-1].End
		})
		if len(pending) > 0 {
			if err := l.history.add(context.Background(), false, pending); err != nil {
				l.failed(err) // it stays unseen; the transcript at the end has it
			} else {
				shown = pending
				l.added()
			}
		}
		if closed {
			return
		}
	}
}

// conclude makes the history end with the transcript. What was shown stays if
// the transcript goes on from it, as it mostly does.
func conclude(ctx context.Context, h *history, final []asr.Segment) error {
	shown := h.shown()
	if len(shown) <= len(final) && slices.Equal(shown, final[:len(shown)]) {
		return h.add(ctx, false, final[len(shown):])
	}
	return h.add(ctx, true, final)
}
