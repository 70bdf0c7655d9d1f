package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/subtitle"
	"github.com/holdfast-go/holdfast/manifest"
)

// downloads are the files that a finished job has.
var downloads = []subtitle.Format{subtitle.TXT, subtitle.SRT, subtitle.VTT, subtitle.JSON}

// submit puts a job into the queue.
func (s *server) submit(j *job) error {
	t := &task{entry: manifest.Entry{AudioPath: j.audio()}}
	ctx := context.Background() // what an engine has given is kept, whoever stops what
	var listening *listener
	var unkept error
	t.started = func() {
		s.board.change(func() { j.State, j.Error, j.started, j.heard = working, "", time.Now(), 0 })
		s.save(j)
		if unkept = j.history.open(ctx); unkept != nil {
			return
		}
		listening = listenInto(j.history, s.board.wake, func(err error) {
			s.log.Warn("segments are not shown", "job", j.ID, "err", err)
		})
	}
	t.heard = func(segment asr.Segment) {
		if listening != nil {
			listening.heard(segment)
		}
	}
	t.progress = func(heard, length time.Duration) {
		s.board.change(func() { j.heard, j.Length = max(j.heard, heard), length.Seconds() })
	}
	t.finished = func(transcript asr.Transcript, err error) {
		if listening != nil {
			listening.finish()
			if err == nil {
				err = s.keep(ctx, j, transcript)
			}
			if err := j.history.close(); err != nil {
				s.log.Warn("job's history", "job", j.ID, "err", err)
			}
		}
		if err == nil {
			err = unkept
		}
		s.finish(j, transcript, err)
	}
	s.board.change(func() { j.task, j.State, j.Error = t, queued, "" })
	if !s.queue.add(t) {
		return errStopping
	}
	s.board.wake() // its place is known now
	return nil
}

// keep writes down what a job has come to, for pages and for people.
func (s *server) keep(ctx context.Context, j *job, t asr.Transcript) error {
	segments := t.Segments
	if len(segments) == 0 && t.Text != "" {
		segments = []asr.Segment{{End: t.Duration, Text: t.Text}}
	}
	if err := conclude(ctx, j.history, segments); err != nil {
		return err
	}
	for _, format := range downloads {
		var b bytes.Buffer
		if err := subtitle.Write(&b, format, t); err != nil {
			return err
		}
		if err := s.fs.WriteFile(ctx, j.transcript("."+string(format)), b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// finish is the end of an attempt. A job that the server's own end has
// interrupted waits for the next server.
func (s *server) finish(j *job, t asr.Transcript, err error) {
	var was state
	s.board.change(func() {
		j.task, was = nil, j.State
		switch {
		case err == nil:
			j.State, j.Language, j.Length, j.Elapsed = done, t.Language, t.Duration.Seconds(), t.Elapsed.Seconds()
			j.Words = len(strings.Fields(t.Text))
		case errors.Is(err, errStopping):
			j.State = queued
		case errors.Is(err, errCancelled):
			j.State = cancelled
		default:
			j.State, j.Error = failed, explain(err, j.audio(), j.Name)
		}
	})
	if err != nil && !errors.Is(err, errStopping) && !errors.Is(err, errCancelled) {
		s.log.Warn("job failed", "job", j.ID, "err", err)
	}
	if was == queued && errors.Is(err, errStopping) {
		return // as it is on disk
	}
	s.save(j)
}

// save brings a job's state to disk. Without it the job would be worked on
// again after a restart, and find its transcript in the journal.
func (s *server) save(j *job) {
	j.saving.Lock()
	defer j.saving.Unlock()
	var r record
	var deleted bool
	s.board.mu.Lock()
	r, deleted = j.record, j.deleted
	s.board.mu.Unlock()
	if deleted {
		if r.State.ended() {
			s.store.clear(context.Background(), j)
		}
		return
	}
	if err := s.store.write(context.Background(), j.dir, r); err != nil {
		s.log.Warn("job's state", "job", j.ID, "err", err)
	}
}

// resume puts the jobs of an earlier server on the list, and what it had not
// ended into the queue, in the order in which they came.
func (s *server) resume(jobs []*job) {
	slices.SortFunc(jobs, func(x, y *job) int { return x.Created.Compare(y.Created) })
	for _, j := range jobs {
		s.board.change(func() { s.board.jobs[j.ID] = j })
		if !j.State.ended() {
			s.submit(j)
		}
	}
}

// retry puts a job into the queue again.
func (s *server) retry(j *job) error {
	taken := false
	s.board.change(func() {
		if j.task == nil && (j.State == failed || j.State == cancelled) && !j.deleted {
			taken, j.State = true, queued
		}
	})
	if !taken {
		return errors.New("it is not one that has failed or was cancelled")
	}
	s.save(j)
	return s.submit(j)
}

// cancel stops a job, in the queue or in the engine.
func (s *server) cancel(j *job) {
	s.board.mu.Lock()
	t := j.task
	s.board.mu.Unlock()
	if t != nil {
		s.queue.end(t, errCancelled)
	}
}

// remove deletes a job and everything that it has on disk. The engine may take
// a moment to stop; the folder goes then.
func (s *server) remove(ctx context.Context, j *job) error {
	j.saving.Lock()
	err := s.store.forget(ctx, j)
	if err != nil {
		j.saving.Unlock()
		return err
	}
	var t *task
	s.board.change(func() {
		j.deleted, t = true, j.task
		delete(s.board.jobs, j.ID)
	})
	j.saving.Unlock()
	if t != nil {
		s.queue.end(t, errCancelled)
		return nil
	}
	s.store.clear(context.WithoutCancel(ctx), j)
	return nil
}
