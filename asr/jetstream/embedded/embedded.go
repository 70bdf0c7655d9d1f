// Package embedded runs a NATS JetStream server inside a program, for a handful
// of machines in an office that have none: whoever has the recordings starts
// it, and the others connect. It syncs before it acknowledges.
package embedded

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/holdfast-go/holdfast/asr/jetstream/internal/known"
	"github.com/holdfast-go/holdfast/internal/host"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// ErrInUse says that another process has the store. The server itself would
// start, and both would write into the same files.
var ErrInUse = errors.New("another server has the store open: stop it, or use a root of your own")

// Config says where the server keeps its data and who may reach it. Root is
// needed.
type Config struct {
	// Root holds the store, in its cache. It has passed the checks that a store
	// needs too: a local disk, in no synchronised folder, that nobody else can
	// write to.
	Root *tempdir.Root

	// Listen is the address for other processes, "127.0.0.1:4222" or
	// "192.168.0.5:4222"; port 0 is any free one. "": only this process reaches
	// the server. Any address but this machine's own (loopback) needs a Token or
	// a TLS that demands client certificates.
	Listen string
	Token  string
	TLS    *tls.Config

	// MaxStore is how many bytes the store may take. 0: what is free at the
	// start, and what the store has already, less MinFree.
	MaxStore int64
	// MinFree is how many bytes of the disk stay free. 0: 256 MiB.
	MinFree int64

	FS     retry.FS     // how the lock is taken; zero: real files, default policy
	Logger *slog.Logger // nil: silent
}

// storeName is the store's directory in the root's cache.
const storeName = "jetstream"

const defaultMinFree = 256 << 20

// Server is a running server.
type Server struct {
	config Config
	opts   server.Options
	log    *slog.Logger
	unlock func() error
	broken chan string // why the server must be started anew
	cancel context.CancelFunc
	ended  chan struct{}

	started time.Time // the present server, or the last one

	mu      sync.Mutex
	current *server.Server
	closed  bool
}

// Start starts the server and returns when it takes connections. While it runs
// it is watched: a store that could not be written, because the disk was full or
// a virus scanner held a file, stays out of order until the server is started
// anew, which happens by itself as soon as there is room.
func Start(ctx context.Context, c Config) (*Server, error) {
	if c.Root == nil {
		return nil, errors.New("embedded server: Config.Root is missing")
	}
	s := &Server{config: c, log: c.Logger, broken: make(chan string, 1), ended: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.open(ctx); err != nil {
		return nil, fmt.Errorf("embedded server: %w", err)
	}
	watching, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go s.watch(watching)
	return s, nil
}

func (s *Server) open(ctx context.Context) error {
	c := s.config
	if err := checkAccess(c.Listen, c.Token, c.TLS); err != nil {
		return err
	}
	store, err := c.Root.Cache(ctx, storeName)
	if err != nil {
		return err
	}
	unlock, ok, err := c.FS.TryLock(ctx, store+".lock")
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("store %s: %w", store, ErrInUse)
	}
	s.unlock = unlock
	limit, err := s.storeLimit(store)
	if err == nil {
		s.opts = options(c, store, limit)
		s.current, err = s.start()
	}
	if err != nil {
		return errors.Join(err, unlock())
	}
	if addr, ok := s.current.Addr().(*net.TCPAddr); ok && addr != nil && c.Listen != "" {
		s.opts.Port = addr.Port // a server that is started anew is found where the first one was
	}
	return nil
}

func options(c Config, store string, limit int64) server.Options {
	o := server.Options{
		ServerName: known.ServerName + rand.Text(),
		JetStream:  true,
		// Without this a power cut loses everything of the last two minutes, and
		// new streams altogether.
		SyncAlways:         true,
		StoreDir:           store,
		JetStreamMaxStore:  limit,
		JetStreamMaxMemory: 64 << 20,
		NoSigs:             true,
		Authorization:      c.Token,
		DontListen:         c.Listen == "",
	}
	if c.TLS != nil {
		o.TLS, o.TLSConfig, o.TLSTimeout = true, c.TLS, 5
		o.TLSVerify = c.TLS.ClientAuth == tls.RequireAndVerifyClientCert
	}
	if host, port, err := splitAddress(c.Listen); err == nil {
		o.Host, o.Port = host, port
		if port == 0 {
			o.Port = server.RANDOM_PORT
		}
	}
	return o
}

// readyTimeout is how long the server may take to read its store and to listen:
// 0.3 s for 100,000 results, and machines can be busy.
const readyTimeout = time.Minute

func (s *Server) start() (*server.Server, error) {
	s.started = time.Now()
	opts := s.opts
	srv, err := server.NewServer(&opts)
	if err != nil {
		return nil, err
	}
	said := &logger{log: s.log, broken: s.broken, fatal: make(chan string, 1)}
	srv.SetLoggerV2(said, false, false, false)
	srv.Start()
	if err := ready(srv, said); err != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, err
	}
	return srv, nil
}

func ready(srv *server.Server, said *logger) error {
	deadline := time.Now().Add(readyTimeout)
	for !srv.ReadyForConnections(100*time.Millisecond) || !srv.JetStreamEnabled() {
		select {
		case why := <-said.fatal:
			return errors.New(why)
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it was not ready after %v; the log says why", readyTimeout)
		}
	}
	return nil
}

// URL is where other processes find the server; "" if they cannot.
func (s *Server) URL() string {
	if s.opts.DontListen {
		return ""
	}
	scheme := "nats"
	if s.opts.TLSConfig != nil {
		scheme = "tls"
	}
	return fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(s.opts.Host, fmt.Sprint(s.opts.Port)))
}

// InProcessConn connects this process; it makes a Server what nats.InProcessServer
// and jetstream.Config.InProcess take.
func (s *Server) InProcessConn() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return nil, errors.New("embedded server: it is being started anew, or closed")
	}
	return s.current.InProcessConn()
}

// Close stops the server and gives the store free. A second call does nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	<-s.ended
	s.stop()
	return s.unlock()
}

func (s *Server) stop() {
	s.mu.Lock()
	srv := s.current
	s.current = nil
	s.mu.Unlock()
	if srv != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
}

// storeLimit keeps MinFree of the disk free.
func (s *Server) storeLimit(store string) (int64, error) {
	free, err := s.room(store)
	if err != nil {
		return 0, err
	}
	used, err := size(store)
	if err != nil {
		return 0, err
	}
	limit := used + free
	if s.config.MaxStore > 0 {
		limit = min(limit, s.config.MaxStore)
	}
	if free <= 0 {
		return 0, fmt.Errorf("the disk of %s has less than %d MiB free; make room", filepath.Dir(store), s.minFree()>>20)
	}
	return limit, nil
}

func (s *Server) minFree() int64 {
	if s.config.MinFree > 0 {
		return s.config.MinFree
	}
	return defaultMinFree
}

// room is how much of the disk is free beyond MinFree.
func (s *Server) room(store string) (int64, error) {
	volume, err := host.VolumeOf(store)
	if err != nil {
		return 0, err
	}
	return volume.Free - s.minFree(), nil
}
