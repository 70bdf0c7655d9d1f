package jetstream

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrNoBatch says that no batch of that name was ever submitted to the server.
var ErrNoBatch = errors.New("no such batch on this server")

// ErrCancelled says that the batch was cancelled.
var ErrCancelled = errors.New("the batch is cancelled")

// batch is what the server knows of one.
type batch struct {
	Jobs      int    `json:"jobs"`
	List      string `json:"list"` // object with a job a line, in the order of the input
	Cancelled bool   `json:"cancelled,omitempty"`
	Cancels   int    `json:"cancels,omitempty"` // how often; a job that was taken back can be sent again at once
}

func (f *Fleet) batch(ctx context.Context, name string) (b batch, err error) {
	if err := checkBatch(name); err != nil {
		return b, err
	}
	err = f.repeat(ctx, "read batch", func(ctx context.Context) error {
		bucket, err := f.js.KeyValue(ctx, batchesBucket)
		if err != nil {
			return err
		}
		value, err := bucket.Get(ctx, name)
		if err != nil {
			return err
		}
		b = batch{}
		return json.Unmarshal(value.Value(), &b)
	})
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrBucketNotFound) {
		err = ErrNoBatch
	}
	if err != nil {
		err = fmt.Errorf("batch %s: %w", name, err)
	}
	return b, err
}

// putBatch writes the record; the last one to write wins.
func (f *Fleet) putBatch(ctx context.Context, name string, b batch) error {
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return f.repeat(ctx, "write batch", func(ctx context.Context) error {
		bucket, err := f.js.KeyValue(ctx, batchesBucket)
		if err != nil {
			return err
		}
		_, err = bucket.Put(ctx, name, data)
		return err
	})
}

// putList stores the list of a batch under a name that says what is in it.
func (f *Fleet) putList(ctx context.Context, name string, jobs []job) (object string, err error) {
	var list bytes.Buffer
	enc := json.NewEncoder(&list)
	for _, j := range jobs {
		if err := enc.Encode(j); err != nil {
			return "", err
		}
	}
	object = "list/" + name + "/" + sumOf(list.Bytes())[:16]
	return object, f.put(ctx, object, func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(list.Bytes())), nil
	})
}

func (f *Fleet) list(ctx context.Context, object string) (jobs []job, err error) {
	var data []byte
	err = f.read(ctx, object, func(r io.Reader) (err error) {
		data, err = io.ReadAll(r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list of the batch: %w; submit it again", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for lines.Scan() {
		var j job
		if err := json.Unmarshal(lines.Bytes(), &j); err != nil {
			return nil, fmt.Errorf("list of the batch: %w", err)
		}
		jobs = append(jobs, j)
	}
	return jobs, lines.Err()
}

// Cancel takes a batch back: jobs that nobody works on go at once, and workers
// stop those that they work on when they next renew their lease, within a third
// of Config.AckWait. Results that are there stay. Submit makes it a batch again.
func (f *Fleet) Cancel(ctx context.Context, name string) error {
	b, err := f.batch(ctx, name)
	if err != nil {
		return err
	}
	b.Cancelled = true
	b.Cancels++
	if err := f.putBatch(ctx, name, b); err != nil {
		return err
	}
	return f.repeat(ctx, "take jobs back", func(ctx context.Context) error {
		stream, err := f.js.Stream(ctx, jobsStream)
		if err != nil {
			return err
		}
		return stream.Purge(ctx, jetstream.WithPurgeSubject(jobSubject+"."+name+".>"))
	})
}
