package jetstream

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

// What is waited for, what is given up, and what means that the subject has its
// message.
func TestPassing(t *testing.T) {
	answer := func(code int, number jetstream.ErrorCode) error {
		return fmt.Errorf("publish: %w", &jetstream.APIError{Code: code, ErrorCode: number})
	}
	for name, c := range map[string]struct {
		err            error
		passing, taken bool
	}{
		"there already":                     {answer(400, 10071), false, true},
		"another one is on its way":         {answer(400, 10164), true, false},
		"full":                              {answer(503, 10077), true, false},
		"disk's share used up":              {answer(500, 10023), true, false},
		"no leader":                         {answer(503, 10008), true, false},
		"no such stream":                    {answer(404, 10059), false, false},
		"no JetStream":                      {jetstream.ErrJetStreamNotEnabled, false, false},
		"time out":                          {context.DeadlineExceeded, true, false},
		"disconnected":                      {nats.ErrReconnectBufExceeded, true, false},
		"nobody answers":                    {nats.ErrNoResponders, true, false},
		"too large":                         {nats.ErrMaxPayload, false, false},
		"we have closed the connection":     {nats.ErrConnectionClosed, false, false},
		"no such object":                    {jetstream.ErrObjectNotFound, false, false},
		"the recording could not be opened": {localError{errors.New("no such file")}, false, false},
	} {
		require.Equal(t, c.passing, passing(c.err), name)
		require.Equal(t, c.taken, taken(c.err), name)
	}
}
