package jetstream

import (
	"context"
	"errors"
)

// Status is how far a batch is.
type Status struct {
	Jobs      int // utterances of the batch
	Done      int // of them have a result, which may be a failure
	Waiting   int // jobs in the queue, those that are being worked on among them
	Cancelled bool

	// Of all batches together:
	Working     int // jobs that are being worked on
	Redelivered int // of them, given to a second worker
}

// Status asks the server how far a batch is. A batch of which less is done and
// waiting than it has jobs needs another Submit.
func (f *Fleet) Status(ctx context.Context, batch string) (Status, error) {
	b, err := f.batch(ctx, batch)
	if err != nil {
		return Status{}, err
	}
	s := Status{Jobs: b.Jobs, Cancelled: b.Cancelled}
	results, err := f.subjects(ctx, resultsStream, resultSubject+"."+batch+".*")
	if err != nil {
		return s, err
	}
	done := make(map[string]bool, len(results))
	for subject := range results {
		if id, _, ok := parseToken(lastToken(subject)); ok {
			done[id] = true
		}
	}
	s.Done = len(done)
	waiting, err := f.subjects(ctx, jobsStream, jobSubject+"."+batch+".>")
	if err != nil {
		return s, err
	}
	s.Waiting = len(waiting)
	for _, priority := range []string{urgent, normal} {
		err = errors.Join(err, f.repeat(ctx, "ask for the workers", func(ctx context.Context) error {
			consumer, err := f.js.Consumer(ctx, jobsStream, priority)
			if err != nil {
				return err
			}
			info := consumer.CachedInfo()
			s.Working += info.NumAckPending
			s.Redelivered += info.NumRedelivered
			return nil
		}))
	}
	return s, err
}
