package jetstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
)

// CollectOptions of a Collect; the zero value is useful.
type CollectOptions struct {
	// Progress is told, one call at a time, how many of the batch's utterances
	// have a result, and how many there are. nil: nobody listens.
	Progress func(done, total int)
}

// Collect brings the transcripts of a batch into the journal, as they come, and
// returns when each of its utterances has one or has failed. The error holds a
// [*asr.UtteranceError] for each that failed, 100 at most (see [asr.Failures]).
// It may be interrupted and repeated at will.
//
// The journal's keys are those of the batch, "BATCH.ID"; its order is that in
// which results came. [Fleet.Publish] has the order of the input.
func (f *Fleet) Collect(ctx context.Context, batch string, journal *manifest.Journal, o CollectOptions) (asr.Report, error) {
	start := time.Now()
	c := collector{fleet: f, batch: batch, journal: journal, opts: o}
	err := errSubmittedAgain
	for errors.Is(err, errSubmittedAgain) {
		err = c.run(ctx)
	}
	if err == nil {
		c.dropAudio(ctx)
	}
	c.report.Elapsed = time.Since(start)
	var failed []*asr.UtteranceError
	for _, w := range c.order {
		if !w.done && w.failed != nil {
			failed = append(failed, w.failed.failure(w.job.Entry.AudioPath))
		}
	}
	c.report.Failed = len(failed)
	return c.report, failures(err, failed)
}

var errSubmittedAgain = errors.New("the batch was submitted again")

type collector struct {
	fleet   *Fleet
	batch   string
	journal *manifest.Journal
	opts    CollectOptions
	report  asr.Report

	known batch // as it was when the list was read
	want  map[string]*wanted
	order []*wanted
	open  int // of want, without a result
}

// wanted is an utterance of the batch.
type wanted struct {
	job    job
	done   bool
	failed *result // of this attempt
}

func (c *collector) run(ctx context.Context) error {
	if err := c.load(ctx); err != nil {
		return err
	}
	group, appending := errgroup.WithContext(context.WithoutCancel(ctx))
	group.SetLimit(64) // they share the journal's syncs
	err := c.follow(ctx, appending, group)
	return errors.Join(group.Wait(), err)
}

// load reads what belongs to the batch, and what of it the journal has.
func (c *collector) load(ctx context.Context) (err error) {
	if c.known, err = c.fleet.batch(ctx, c.batch); err != nil {
		return err
	}
	if c.known.Cancelled {
		return fmt.Errorf("batch %s: %w", c.batch, ErrCancelled)
	}
	list, err := c.fleet.list(ctx, c.known.List)
	if err != nil {
		return err
	}
	c.want, c.order, c.open = make(map[string]*wanted, len(list)), nil, 0
	resumed := 0
	for _, j := range list {
		if c.want[j.ID] != nil {
			continue
		}
		w := &wanted{job: j}
		c.want[j.ID] = w
		c.order = append(c.order, w)
		if _, w.done = c.journal.Lookup(j.key()); w.done {
			resumed++
		} else {
			c.open++
		}
	}
	c.report.Total = len(c.order)
	c.report.Resumed = max(0, resumed-c.report.Done)
	c.progress()
	return nil
}

func (c *collector) progress() {
	if c.opts.Progress != nil {
		c.opts.Progress(len(c.order)-c.open, len(c.order))
	}
}

// follow takes results until there is one for each utterance.
func (c *collector) follow(ctx, appending context.Context, group *errgroup.Group) error {
	if c.open == 0 {
		return nil
	}
	for r, err := range c.fleet.results(ctx, c.batch, true) {
		switch {
		case appending.Err() != nil: // the journal cannot be written
			return nil
		case errors.Is(err, errIdle):
			err = c.look(ctx)
		case err == nil:
			err = c.take(ctx, appending, group, r)
		}
		if err != nil {
			return err
		}
		if c.open == 0 {
			return nil
		}
	}
	return nil
}

// look finds out whether the batch is another by now.
func (c *collector) look(ctx context.Context) error {
	now, err := c.fleet.batch(ctx, c.batch)
	if err == nil && now != c.known {
		err = errSubmittedAgain // or cancelled, as load will see
	}
	return err
}

// take brings one result into the journal, unless it is there.
func (c *collector) take(ctx, appending context.Context, group *errgroup.Group, r result) error {
	w := c.want[r.Job]
	if w == nil || w.done {
		return nil
	}
	entry, err := c.fleet.entry(ctx, &r)
	if err != nil {
		return err
	}
	if r.Error != "" {
		if w.failed == nil && r.Attempt >= w.job.Attempt {
			c.open--
			w.failed = &r
			c.progress()
		}
		return nil
	}
	if w.failed == nil {
		c.open--
	}
	w.done, w.failed = true, nil
	c.report.Done++
	c.report.Audio += entry.Duration
	c.progress()
	key := w.job.key()
	group.Go(func() error {
		if err := c.journal.Append(appending, key, entry); err != nil {
			return fmt.Errorf("the transcript of %s could not be kept: %w", entry.AudioPath, err)
		}
		return nil
	})
	return nil
}

// dropAudio removes recordings that were uploaded and have their transcripts.
// What cannot be removed expires.
func (c *collector) dropAudio(ctx context.Context) {
	for _, w := range c.order {
		if !w.job.Uploaded || !w.done {
			continue
		}
		name := w.job.audioName()
		err := c.fleet.objects(ctx, "remove "+name, func(ctx context.Context, store jetstream.ObjectStore) error {
			return store.Delete(ctx, name)
		})
		if err != nil && !errors.Is(err, jetstream.ErrObjectNotFound) {
			c.fleet.log.Warn("recording stays on the server", "name", name, "err", err)
		}
	}
}

// entry is the transcript of a result. A damaged one makes a failure of it.
func (f *Fleet) entry(ctx context.Context, r *result) (e manifest.Entry, err error) {
	if r.Error != "" {
		return e, nil
	}
	text := r.Entry
	if r.Object != "" {
		err := f.read(ctx, r.Object, func(object io.Reader) error {
			data, err := io.ReadAll(object)
			text = string(data)
			return err
		})
		if ctx.Err() != nil {
			return e, context.Cause(ctx)
		}
		if err != nil {
			r.Error = fmt.Sprintf("the result was lost on the server: %v; submit the batch with RetryFailed", err)
			return e, nil
		}
		if sumOf([]byte(text)) != r.SHA256 {
			r.Error = "the result was damaged on the server: its checksum is another; submit the batch with RetryFailed"
			return e, nil
		}
	}
	if err := e.UnmarshalJSON([]byte(text)); err != nil {
		r.Error = fmt.Sprintf("the result cannot be read: %v", err)
	}
	return e, nil
}

// Publish writes the transcripts of a batch that the journal has as a manifest,
// in the order of the input, whole or not at all, and replaces a file that is
// there. An utterance without a transcript is left out.
func (f *Fleet) Publish(ctx context.Context, batch string, journal *manifest.Journal, path string, o manifest.Options) error {
	b, err := f.batch(ctx, batch)
	if err != nil {
		return err
	}
	list, err := f.list(ctx, b.List)
	if err != nil {
		return err
	}
	return manifest.Save(ctx, path, func(yield func(manifest.Entry) bool) {
		for _, j := range list {
			e, ok := journal.Lookup(j.key())
			if !ok {
				continue
			}
			e.AudioPath, e.Text = j.Entry.AudioPath, j.Entry.Text // the same recording may be there under two names
			if !yield(e) {
				return
			}
		}
	}, o)
}
