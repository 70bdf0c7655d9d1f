package jetstream

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// cancels knows which batches are cancelled, and stops their jobs.
type cancels struct {
	stop func()

	mu        sync.Mutex
	cancelled map[string]bool
	running   map[*context.CancelCauseFunc]string // and the batch
}

// watchCancels follows the batches' records until stop, or until ctx ends.
func watchCancels(ctx context.Context, f *Fleet) *cancels {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	c := &cancels{cancelled: make(map[string]bool), running: make(map[*context.CancelCauseFunc]string)}
	c.stop = func() {
		cancel()
		<-ended
	}
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			if err := c.watch(ctx, f); err != nil {
				f.log.Debug("watch batches", "err", err)
			}
			sleep(ctx, time.Second)
		}
	}()
	return c
}

func (c *cancels) watch(ctx context.Context, f *Fleet) error {
	bucket, err := f.js.KeyValue(ctx, batchesBucket)
	if err != nil {
		return err
	}
	watcher, err := bucket.WatchAll(ctx)
	if err != nil {
		return err
	}
	defer watcher.Stop()
	for {
		select {
		case value, open := <-watcher.Updates():
			if !open {
				return nil
			}
			if value == nil { // that was all there is so far
				continue
			}
			var b batch
			if json.Unmarshal(value.Value(), &b) == nil {
				c.set(value.Key(), b.Cancelled)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (c *cancels) set(batch string, cancelled bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancelled[batch] = cancelled
	if !cancelled {
		return
	}
	for cancel, of := range c.running {
		if of == batch {
			(*cancel)(ErrCancelled)
		}
	}
}

// job gives a context that ends when the batch is cancelled.
func (c *cancels) job(ctx context.Context, batch string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running[&cancel] = batch
	if c.cancelled[batch] {
		cancel(ErrCancelled)
	}
	return ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.running, &cancel)
		cancel(nil)
	}
}
