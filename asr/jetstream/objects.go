package jetstream

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// chunkSize of objects: with the 128 KiB of the client storing is two to five
// times as slow, and a message may have 1 MiB.
const chunkSize = 900 << 10

// objectTimeout is how long one object may take in one try.
const objectTimeout = 15 * time.Minute

// put stores an object unless it is there. Each try reads it from the start.
func (f *Fleet) put(ctx context.Context, name string, open func() (io.ReadCloser, error)) error {
	return f.objects(ctx, "store "+name, func(ctx context.Context, store jetstream.ObjectStore) error {
		_, err := store.GetInfo(ctx, name)
		if !errors.Is(err, jetstream.ErrObjectNotFound) {
			return err
		}
		r, err := open()
		if err != nil {
			return localError{err}
		}
		defer r.Close()
		source := &judged{Reader: r}
		meta := jetstream.ObjectMeta{Name: name, Opts: &jetstream.ObjectMetaOptions{ChunkSize: chunkSize}}
		if _, err = store.Put(ctx, meta, source); source.err != nil {
			return localError{source.err}
		}
		return err
	})
}

// read gives an object to a function; once more from its start if the server
// went away meanwhile.
func (f *Fleet) read(ctx context.Context, name string, use func(io.Reader) error) error {
	return f.objects(ctx, "read "+name, func(ctx context.Context, store jetstream.ObjectStore) error {
		object, err := store.Get(ctx, name)
		if err != nil {
			return err
		}
		defer object.Close()
		r := &judged{Reader: object}
		err = use(r)
		if err != nil && r.err == nil {
			err = localError{err}
		}
		return err
	})
}

// judged tells a reader's failure from that of whoever reads.
type judged struct {
	io.Reader
	err error
}

func (j *judged) Read(p []byte) (int, error) {
	n, err := j.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		j.err = err
	}
	return n, err
}

func (f *Fleet) objects(ctx context.Context, what string, op func(context.Context, jetstream.ObjectStore) error) error {
	return f.repeatFor(ctx, objectTimeout, what, func(ctx context.Context) error {
		store, err := f.js.ObjectStore(ctx, filesBucket)
		if err != nil {
			return err
		}
		return op(ctx, store)
	})
}
