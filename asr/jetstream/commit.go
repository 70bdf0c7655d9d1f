package jetstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
)

// lastWords is how long a worker that is told to stop goes on trying to commit
// what its engine has given. After that it is in the worker's journal.
const lastWords = 10 * time.Second

// hasResult looks for the result of a job. It may miss one that a cluster's
// other server has just taken: the commit will not.
func (w *worker) hasResult(ctx context.Context, j *job) (bool, error) {
	err := w.fleet.repeat(ctx, "look for the result", func(ctx context.Context) error {
		_, err := w.results.GetLastMsgForSubject(ctx, j.resultSubject())
		return err
	})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (w *worker) succeed(ctx context.Context, j *job, t asr.Transcript) error {
	entry, err := t.Entry(w.about)
	if err != nil {
		return w.fail(ctx, j, err)
	}
	first, err := w.commit(ctx, j, success(entry))
	if first {
		w.count(&w.report.Done)
		if t.Resumed {
			w.count(&w.report.Resumed)
		}
	}
	return err
}

func success(e manifest.Entry) result {
	text := string(e.AppendJSON(nil))
	return result{Entry: text, SHA256: sumOf([]byte(text))}
}

// maxError is how many bytes of a failure's text are sent.
const maxError = 8 << 10

func (w *worker) fail(ctx context.Context, j *job, cause error) error {
	w.log.Warn("job failed", "path", j.Entry.AudioPath, "err", cause)
	text := cause.Error()
	if len(text) > maxError {
		text = strings.ToValidUTF8(text[:maxError], "") + "…"
	}
	first, err := w.commit(ctx, j, result{Error: text, Cause: causeOf(cause)})
	if first {
		w.count(&w.report.Failed)
	}
	return err
}

// commit makes this the job's result, unless it has one: the first one wins,
// however long ago that was. Only then may the job leave the queue.
func (w *worker) commit(ctx context.Context, j *job, r result) (first bool, err error) {
	ctx, done := lingering(ctx, lastWords)
	defer done()
	r.Job, r.Attempt, r.Worker = j.ID, j.Attempt, w.name
	data, err := json.Marshal(r)
	if err == nil && len(data) > maxInline {
		data, err = w.outsource(ctx, j, r)
	}
	if err != nil {
		return false, err
	}
	err = w.fleet.repeat(ctx, "commit", func(ctx context.Context) error {
		_, err := w.fleet.js.Publish(ctx, j.resultSubject(), data,
			jetstream.WithExpectLastSequencePerSubject(0), jetstream.WithExpectStream(resultsStream))
		return err
	})
	if taken(err) {
		w.count(&w.report.Late)
		return false, nil
	}
	return err == nil, err
}

// outsource puts an entry that is too long for a message into an object.
func (w *worker) outsource(ctx context.Context, j *job, r result) ([]byte, error) {
	text := []byte(r.Entry)
	r.Entry, r.Object = "", "result/"+j.Batch+"/"+j.ID+"/"+r.SHA256[:16]
	err := w.fleet.put(ctx, r.Object, func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text)), nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// acknowledge takes the job out of the queue. If that gets lost the job comes
// back and is found done.
func (w *worker) acknowledge(message jetstream.Msg) error {
	if err := message.Ack(); err != nil {
		w.log.Debug("acknowledge", "err", err)
	}
	return nil
}

// lingering gives a context that ends d after its parent.
func lingering(parent context.Context, d time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() {
		timer := time.AfterFunc(d, func() { cancel(context.Cause(parent)) })
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	return ctx, func() {
		stop()
		cancel(nil)
	}
}
