package jetstream

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/holdfast-go/holdfast/asr/jetstream/internal/known"
)

// Config says which server to use, and how. URL or InProcess is needed.
type Config struct {
	URL       string                     // "nats://host:4222"; several of a cluster with commas
	InProcess nats.InProcessConnProvider // a server in this process, such as *embedded.Server, instead of a URL

	Token       string      // that the server asks for
	Credentials string      // path of a .creds file
	TLS         *tls.Config // nil: as the URL says

	// AckWait is how long a worker may be silent before its job is given to
	// another; it tells the server three times as often that it works. It counts
	// for whoever creates the streams, that is for the first Submit. 0: 60 s.
	AckWait time.Duration
	// Replicas of the streams, likewise. 0: 1, which is all that a single server
	// can do; a cluster should have 3.
	Replicas int
	// MaxJobs is how many jobs may wait, likewise; then Submit waits. 0: a million.
	MaxJobs int64

	Logger *slog.Logger // nil: silent
}

const (
	defaultAckWait = 60 * time.Second
	defaultMaxJobs = 1_000_000

	requestTimeout = 5 * time.Second
)

// Fleet is a connection to the server. It is safe for concurrent use.
type Fleet struct {
	config Config
	conn   *nats.Conn
	js     jetstream.JetStream
	log    *slog.Logger

	mu     sync.Mutex
	reason error // why the last attempt to connect has failed
}

// Connect connects to the server, which it waits for until ctx ends, and checks
// that it is one that keeps what it acknowledges, as far as that can be seen.
func Connect(ctx context.Context, c Config) (*Fleet, error) {
	f := &Fleet{config: c, log: c.Logger}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	options = append(options, nats.ReconnectErrHandler(func(_ *nats.Conn, err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.reason = err
	}))
	if f.conn, err = nats.Connect(c.URL, options...); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", c.name(), err)
	}
	if err := f.connected(ctx); err != nil {
		f.conn.Close()
		return nil, fmt.Errorf("connect to %s: %w", c.name(), err)
	}
	return f, nil
}

func (c *Config) name() string {
	if c.InProcess != nil {
		return "the server in this process"
	}
	return c.URL
}

func (c *Config) options() ([]nats.Option, error) {
	if c.URL == "" && c.InProcess == nil {
		return nil, errors.New("jetstream: Config.URL or Config.InProcess is needed")
	}
	host, _ := os.Hostname() // for people who look at the server
	options := []nats.Option{
		nats.Name(fmt.Sprintf("holdfast %s %d", host, os.Getpid())),
		nats.Timeout(requestTimeout),
		// A publish that failed for the caller must not be sent later after all.
		nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1),
		nats.RetryOnFailedConnect(true),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 400*time.Millisecond),
		nats.PingInterval(10 * time.Second), // a machine that vanished sends no reset
	}
	if c.InProcess != nil {
		options = append(options, nats.InProcessServer(c.InProcess))
	}
	if c.Token != "" {
		options = append(options, nats.Token(c.Token))
	}
	if c.Credentials != "" {
		options = append(options, nats.UserCredentials(c.Credentials))
	}
	if c.TLS != nil {
		options = append(options, nats.Secure(c.TLS))
	}
	return options, nil
}

func (f *Fleet) connected(ctx context.Context) error {
	changed := f.conn.StatusChanged(nats.CONNECTED, nats.CLOSED)
	defer f.conn.RemoveStatusListener(changed)
	ticker := time.NewTicker(requestTimeout)
	defer ticker.Stop()
	for !f.conn.IsConnected() {
		if f.conn.IsClosed() { // wrong token, for instance
			return f.lastError()
		}
		select {
		case <-changed:
		case <-ticker.C:
			f.log.Warn("waiting for the server", "server", f.config.name(), "err", f.lastError())
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), f.lastError())
		}
	}
	var err error
	if f.js, err = jetstream.New(f.conn, jetstream.WithDefaultTimeout(requestTimeout)); err != nil {
		return err
	}
	return f.checkServer(ctx)
}

// lastError says why there is no connection.
func (f *Fleet) lastError() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return cmp.Or(f.conn.LastError(), f.reason, error(nats.ErrNoServers))
}

// checkServer refuses a server that cannot do what the protocol needs, and
// warns of what cannot be seen.
func (f *Fleet) checkServer(ctx context.Context) error {
	var info *jetstream.AccountInfo
	err := f.repeat(ctx, "ask the server about JetStream", func(ctx context.Context) (err error) {
		info, err = f.js.AccountInfo(ctx)
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return fmt.Errorf("%w; start it with: jetstream { store_dir: DIR, sync_interval: always }", err)
	case err != nil:
		return err
	// Level 2 is that of nats-server 2.12.
	case info.API.Level < 2:
		return fmt.Errorf("the server is version %s, 2.12 is needed", f.conn.ConnectedServerVersion())
	}
	if !strings.HasPrefix(f.conn.ConnectedServerName(), known.ServerName) {
		f.log.Warn("nobody can see from here whether the server syncs before it acknowledges; "+
			"unless its configuration says sync_interval: always, a power cut loses jobs and results",
			"server", f.conn.ConnectedServerName())
	}
	return nil
}

// Close ends the connection.
func (f *Fleet) Close() error {
	f.conn.Close()
	return nil
}
