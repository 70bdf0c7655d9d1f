package manifest

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"
)

// Append makes a record of e, on disk when it returns nil. Callers that come
// at the same time share one write and one sync. The key is text in UTF-8, for
// what is not comes back from the file as something else.
//
// A cancelled ctx does not stop it: what an engine has found out is worth the
// write. After an error there is no promise that the record is in the file or
// that it is not; Append may be called again, for example when there is space
// on the disk.
func (j *Journal) Append(ctx context.Context, key string, e Entry) error {
	if key == "" || !utf8.ValidString(key) {
		return fmt.Errorf("journal: a record needs a key of UTF-8 text, which %q is not", key)
	}
	return j.commitItems(ctx, []item{newItem(key, e)})
}

// commitItems makes records durable, all or none.
func (j *Journal) commitItems(ctx context.Context, items []item) error {
	b, lead, err := j.enqueue(items)
	if err != nil {
		return err
	}
	if !lead {
		select {
		case <-b.done:
			return b.err
		case <-b.lead:
		}
	}
	j.commit(context.WithoutCancel(ctx), b)
	return b.err
}

// enqueue puts items into the batch that is written next. Whoever gets the lead
// has to commit it.
func (j *Journal) enqueue(items []item) (b *batch, lead bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.open {
		return nil, false, errClosed
	}
	const rest = 64 // number and checksum
	for _, it := range items {
		if len(it.body)+rest > j.maxLine {
			return nil, false, fmt.Errorf("journal: record %q of %d bytes is longer than Options.MaxLine, %d",
				it.key, len(it.body), j.maxLine)
		}
	}
	if j.queue == nil {
		j.queue = newBatch(j.pace.count)
	}
	j.queue.add(items)
	lead = !j.committing
	j.committing = true
	return j.queue, lead, nil
}

// item is a record on its way to the file.
type item struct {
	*record
	body []byte
}

// batch are the records that are written together.
type batch struct {
	items []item
	done  chan struct{} // closed when err is set
	err   error
	lead  chan struct{} // whoever receives from it commits the batch
	full  chan struct{} // closed when there are enough items
	want  int           // this many; 0: nobody waits for that
}

func newBatch(expected int) *batch {
	return &batch{items: make([]item, 0, expected), done: make(chan struct{}), lead: make(chan struct{}, 1), full: make(chan struct{})}
}

func (b *batch) add(items []item) {
	b.items = append(b.items, items...)
	if b.want > 0 && len(b.items) >= b.want {
		b.want = 0
		close(b.full)
	}
}

// commit writes a batch and hands the lead on to the next.
func (j *Journal) commit(ctx context.Context, b *batch) {
	j.gather(b)
	j.mu.Lock()
	j.queue = nil
	j.mu.Unlock()

	start := time.Now()
	b.err = j.file.add(ctx, b.items)
	took := time.Since(start)

	j.mu.Lock()
	defer j.mu.Unlock()
	j.pace = pacemaker{count: len(b.items), took: took}
	if b.err == nil {
		for i := range b.items {
			j.remember(b.items[i].record)
		}
	}
	close(b.done)
	j.handOn()
}

// handOn gives the lead to whoever waits for it.
func (j *Journal) handOn() {
	switch {
	case len(j.clears) > 0: // first: batches may come without end
		close(j.clears[0])
		j.clears = j.clears[1:]
	case j.queue != nil:
		j.queue.lead <- struct{}{}
	default:
		j.committing = false
		j.idle.Broadcast()
	}
}

// pacemaker is how the last commit went.
type pacemaker struct {
	count int
	took  time.Duration
}

// gather waits until as many callers are there as the last time: those whose
// records have just been acknowledged are about to come back with the next.
// Without that, two halves of them alternate and each sync carries half of
// what it could. It waits for a number; the time, an eighth of a sync without
// anybody new, is only the limit. A lone caller never waits.
func (j *Journal) gather(b *batch) {
	here, enough := j.countTo(b, j.pace.count)
	if enough {
		return
	}
	limit := time.NewTimer(j.pace.took / 8)
	defer limit.Stop()
	for {
		select {
		case <-b.full:
			return
		case <-limit.C:
		}
		before := here
		if here, _ = j.countTo(b, j.pace.count); here == before {
			return
		}
		limit.Reset(j.pace.took / 8)
	}
}

// countTo makes b tell when it has as many items as are wanted, unless it has
// them already.
func (j *Journal) countTo(b *batch, want int) (here int, enough bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	here = len(b.items)
	if here < want {
		b.want = want
	}
	return here, here >= want
}
