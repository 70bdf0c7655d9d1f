package jetstream

import (
	"context"
	"sync"
	"sync/atomic"
)

// kept is what the worker's journal holds, and whether it may go.
type kept struct {
	jobs    sync.RWMutex // held for reading by each job that is being done
	records atomic.Int64
	unsent  atomic.Bool // something of it is not on the server, for good
}

// during does a job, and notes whether its transcript may be in the journal only.
func (k *kept) during(do func() error) error {
	k.jobs.RLock()
	defer k.jobs.RUnlock()
	err := do()
	if err != nil {
		k.unsent.Store(true)
	}
	return err
}

// clear clears a journal that has become long. It waits for the jobs that are
// being done: their transcripts may be there and not on the server yet.
func (w *worker) clear(ctx context.Context) {
	k, most := &w.kept, int64(w.opts.MaxRecords)
	if k.records.Load() < most {
		return
	}
	k.jobs.Lock()
	defer k.jobs.Unlock()
	if k.records.Load() < most || k.unsent.Load() { // another call has cleared it, or the worker ends
		return
	}
	k.records.Store(0)
	if err := w.opts.Run.Journal.Clear(ctx); err != nil {
		w.log.Warn("the worker's journal stays as long as it is", "err", err) // the next record says whether it is of use
	}
}
