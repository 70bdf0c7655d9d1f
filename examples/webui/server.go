package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// config is what a server is made of.
type config struct {
	Root   *tempdir.Root
	Out    string
	Engine asr.Transcriber
	Limits limits
	Port   int      // which names of this machine a browser may use, see guard.go
	FS     retry.FS // how files are touched; zero: real files, default policy
	Logger *slog.Logger
	Free   func(dir string) (int64, error) // free space; nil: that of the volume
}

// server is the web page, the interface for programs, and the jobs behind both.
type server struct {
	config
	fs       retry.FS
	log      *slog.Logger
	scope    *tempdir.Scope // uploads on their way
	journal  *manifest.Journal
	store    store
	board    *board
	queue    *queue
	space    *space
	uploads  slots
	streams  slots
	stopping chan struct{} // closed when the server is about to end
}

// newServer opens the output folder, which nobody else may be using, and goes
// on with the jobs that are in it.
func newServer(ctx context.Context, c config) (s *server, err error) {
	c.Limits = c.Limits.complete()
	if c.Free == nil {
		c.Free = freeSpace
	}
	s = &server{
		config: c, fs: c.FS, log: c.Logger, board: newBoard(), stopping: make(chan struct{}),
		store:   store{fs: c.FS, dir: filepath.Join(c.Out, "jobs"), log: c.Logger},
		space:   &space{dirs: []string{c.Root.Path(), c.Out}, keep: c.Limits.free, free: c.Free},
		uploads: make(slots, c.Limits.uploads), streams: make(slots, c.Limits.streams),
	}
	if err := s.fs.MkdirAll(ctx, c.Out); err != nil {
		return nil, err
	}
	s.journal, err = manifest.OpenJournal(ctx, filepath.Join(c.Out, "journal.jsonl"), manifest.Options{FS: c.FS})
	if errors.Is(err, manifest.ErrInUse) {
		return nil, fmt.Errorf("another server uses the folder %s: stop it, or choose another with -out", c.Out)
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.journal.Close())
		}
	}()
	if _, err := c.Root.Sweep(ctx); err != nil {
		s.log.Warn("sweep", "err", err)
	}
	jobs, err := s.store.load(ctx)
	if err != nil {
		return nil, err
	}
	if s.scope, err = c.Root.NewScope(ctx, "webui uploads"); err != nil {
		return nil, err
	}
	s.queue = &queue{engine: c.Engine, root: c.Root, journal: s.journal, log: s.log, changed: s.board.wake}
	s.queue.start()
	s.resume(jobs)
	return s, nil
}

// serve answers until ctx ends, then ends uploads and streams politely, stops
// the engine, and leaves what is not done to the next server.
func (s *server) serve(ctx context.Context, l net.Listener) error {
	h := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	close(s.stopping)
	s.queue.stop()
	const patience = 10 * time.Second // for uploads that are nearly there
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if h.Shutdown(wait) != nil {
		h.Close()
	}
	s.scope.Close()
	return errors.Join(err, s.journal.Close())
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.getPage)
	mux.Handle("GET /page/", pageFiles())
	mux.HandleFunc("GET /api/config", s.getConfig)
	mux.HandleFunc("PUT /api/uploads", s.owned(s.putUpload))
	mux.HandleFunc("GET /api/jobs", s.owned(s.getJobs))
	mux.HandleFunc("GET /api/events", s.owned(s.getEvents))
	mux.HandleFunc("GET /api/jobs/{id}/events", s.ownJob(s.getJobEvents))
	mux.HandleFunc("GET /api/jobs/{id}/audio", s.ownJob(s.getAudio))
	mux.HandleFunc("GET /api/jobs/{id}/{file}", s.ownJob(s.getTranscript))
	mux.HandleFunc("POST /api/jobs/{id}/cancel", s.ownJob(s.postCancel))
	mux.HandleFunc("POST /api/jobs/{id}/retry", s.ownJob(s.postRetry))
	mux.HandleFunc("DELETE /api/jobs/{id}", s.ownJob(s.deleteJob))
	mux.HandleFunc("POST /v1/audio/transcriptions", s.postTranscription)
	mux.HandleFunc("GET /v1/models", s.getModels)
	return s.guard(mux)
}
