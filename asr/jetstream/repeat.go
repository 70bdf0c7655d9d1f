package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Codes of the server that nats.go has no names for
// (nats-server, server/errors.json).
const (
	codeInsufficientResources jetstream.ErrorCode = 10023 // the disk's share is used up
	codeStoreFailed           jetstream.ErrorCode = 10077 // full: messages, bytes, or a subject's one message
)

// repeat tries op until it succeeds, fails for good, or ctx ends. A server that
// is away, restarting or full is waited for.
func (f *Fleet) repeat(ctx context.Context, what string, op func(context.Context) error) error {
	return f.repeatFor(ctx, requestTimeout, what, op)
}

// repeatFor gives each try a time of its own.
func (f *Fleet) repeatFor(ctx context.Context, timeout time.Duration, what string, op func(context.Context) error) error {
	pause := 50 * time.Millisecond
	for tries := 1; ; tries++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		try, cancel := context.WithTimeout(ctx, timeout)
		err := op(try)
		cancel()
		if err == nil || !passing(err) {
			return err
		}
		if tries%20 == 4 { // once after half a second, then now and then
			f.log.Warn(what+": waiting for the server", "tries", tries, "err", err)
		}
		if !sleep(ctx, pause) {
			return fmt.Errorf("%s: %w", what, errors.Join(context.Cause(ctx), err))
		}
		pause = min(2*pause, 2*time.Second)
	}
}

// localError is a failure on this side, which no server will mend.
type localError struct{ error }

func (e localError) Unwrap() error { return e.error }

// passing tells whether an error may pass by itself.
func passing(err error) bool {
	if _, ok := errors.AsType[localError](err); ok {
		return false
	}
	if answer, ok := errors.AsType[*jetstream.APIError](err); ok {
		switch answer.ErrorCode {
		case codeStoreFailed, codeInsufficientResources:
			return true
		// A cluster says so while another message for the subject is on its way. It
		// may still get lost (server/jetstream_batching.go, expectedPerSubjectInProcess),
		// so this is no answer yet, although the client's documentation takes it for one.
		case jetstream.JSErrCodeStreamWrongLastSequenceConstant:
			return true
		case jetstream.JSErrCodeJetStreamNotEnabled, jetstream.JSErrCodeJetStreamNotEnabledForAccount:
			return false
		}
		return answer.Code == 503
	}
	for _, permanent := range []error{
		nats.ErrMaxPayload, nats.ErrConnectionClosed, nats.ErrBadSubject, nats.ErrAuthorization,
		jetstream.ErrObjectNotFound, jetstream.ErrKeyNotFound, jetstream.ErrKeyDeleted, jetstream.ErrBucketNotFound,
		jetstream.ErrInvalidOption,
	} {
		if errors.Is(err, permanent) {
			return false
		}
	}
	return true
}

// taken tells whether a message was refused because its subject has one already,
// for good.
func taken(err error) bool {
	answer, ok := errors.AsType[*jetstream.APIError](err)
	return ok && answer.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
}

// sleep waits for d, or returns false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
