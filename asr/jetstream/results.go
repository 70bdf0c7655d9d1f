package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// errIdle is yielded by results when nothing has come for a second.
var errIdle = errors.New("nothing new")

// results yields what came of the jobs of a batch, from the first one on. If
// it follows it goes on with new ones, and errIdle in between, until the loop is
// left; otherwise it ends with the last one. Whatever happens to the server it
// goes on where it was.
func (f *Fleet) results(ctx context.Context, batch string, follow bool) iter.Seq2[result, error] {
	return func(yield func(result, error) bool) {
		var at place
		for {
			ended, err := f.readResults(ctx, batch, follow, &at, yield)
			switch {
			case ended:
				return
			case ctx.Err() != nil:
				yield(result{}, context.Cause(ctx))
				return
			case !passing(err):
				yield(result{}, fmt.Errorf("read results: %w", err))
				return
			}
			f.log.Debug("read results: once more", "from", at.next, "err", err)
			if follow && !yield(result{}, errIdle) {
				return
			}
			sleep(ctx, 200*time.Millisecond)
		}
	}
}

// place is how far a stream was read.
type place struct {
	created time.Time // of the stream
	next    uint64
}

// enter begins at the first message if the stream is not the one that was read:
// its server has lost that, and counts from 1 again.
func (p *place) enter(stream *jetstream.StreamInfo) (anew bool) {
	anew = !stream.Created.Equal(p.created) || stream.State.LastSeq+1 < p.next
	if anew {
		*p = place{stream.Created, 1}
	}
	return anew
}

// readResults reads until something goes wrong, or it ends.
func (f *Fleet) readResults(ctx context.Context, batch string, follow bool, at *place, yield func(result, error) bool) (ended bool, err error) {
	stream, err := f.js.Stream(ctx, resultsStream)
	if err != nil {
		return false, err
	}
	at.enter(stream.CachedInfo())
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects:   []string{resultSubject + "." + batch + ".*"},
		DeliverPolicy:    jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:      at.next,
		MaxResetAttempts: 1, // we do that ourselves, and know where we are
	})
	if err != nil {
		return false, err
	}
	info, err := consumer.Info(ctx)
	if err != nil {
		return false, err
	}
	if info.NumPending == 0 && info.Delivered.Consumer == 0 && !follow {
		return true, nil
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(256))
	if err != nil {
		return false, err
	}
	defer messages.Stop()
	for {
		message, err := messages.Next(jetstream.NextMaxWait(time.Second))
		if errors.Is(err, nats.ErrTimeout) && follow && ctx.Err() == nil {
			now, err := stream.Info(ctx)
			if err != nil {
				return false, err
			}
			if at.enter(now) {
				return false, errors.New("the stream was made anew")
			}
			if !yield(result{}, errIdle) {
				return true, nil
			}
			continue
		}
		if err != nil {
			return false, err
		}
		meta, err := message.Metadata()
		if err != nil {
			return false, err
		}
		r, ok := parseResult(message.Subject(), message.Data())
		if ok && !yield(r, nil) {
			return true, nil
		}
		at.next = meta.Sequence.Stream + 1
		if meta.NumPending == 0 && !follow {
			return true, nil
		}
	}
}

// parseResult makes a failure of a result that is damaged.
func parseResult(subject string, data []byte) (result, bool) {
	id, attempt, ok := parseToken(lastToken(subject))
	if !ok {
		return result{}, false
	}
	var r result
	err := json.Unmarshal(data, &r)
	if err == nil && r.Entry != "" && sumOf([]byte(r.Entry)) != r.SHA256 {
		err = errors.New("its checksum is another")
	}
	if err != nil {
		r = result{Error: fmt.Sprintf("the result was damaged on the server: %v; submit the batch with RetryFailed", err)}
	}
	r.Job, r.Attempt = id, attempt
	return r, true
}
