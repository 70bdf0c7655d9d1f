// Command webui is a page for a browser: drop recordings on it, watch the
// words come, take the transcript with you. It listens on this machine only.
//
//	webui [-addr 127.0.0.1:8080] [-root DIR] [-out DIR] [engine flags]
//
// It loses nothing that it has shown: an upload is on disk before it is
// confirmed, a segment is in the job's journal before any page gets it, and
// when the server is started again, however it ended, its jobs go on.
//
// It also answers POST /v1/audio/transcriptions, so that programs that speak
// to OpenAI's service can be pointed at http://ADDR/v1.
//
// The output folder holds all there is, and belongs to one server at a time:
//
//	OUT/journal.jsonl            every transcript; the same recording is not heard twice
//	OUT/jobs/ID/job.json         written last: without it there is no job
//	OUT/jobs/ID/audio.EXT        the upload
//	OUT/jobs/ID/events.jsonl     what pages were shown, in its order
//	OUT/jobs/ID/transcript.EXT   txt, srt, vtt and json
//
// Deleting a job on the page removes its folder. Its line in the journal stays.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/holdfast-go/holdfast/tempdir"
)

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who presses Ctrl-C twice wants out at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, openEngine))
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, open engineOpener) int {
	o, code, ok := parseFlags(args, stderr)
	if !ok {
		return code
	}
	unusable := func(err error) int {
		fmt.Fprintf(stderr, "webui: %v\n", err)
		return exitUsage
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))

	listener, err := listen(ctx, o.addr)
	if err != nil {
		return unusable(err)
	}
	defer listener.Close()
	root, err := tempdir.Open(ctx, o.root, tempdir.Options{Logger: log})
	if err != nil {
		return unusable(err)
	}
	engine, err := open(ctx, o, root, log, stderr)
	if err != nil {
		return unusable(err)
	}
	defer engine.Close()
	s, err := newServer(ctx, config{
		Root: root, Out: o.out, Engine: engine, Limits: o.limits, Port: port(listener), Logger: log,
	})
	if err != nil {
		return unusable(err)
	}
	fmt.Fprintf(stdout, "webui: ready at http://%s/ (Ctrl-C stops it; its jobs are in %s and go on when it is started again with that -out)\n", listener.Addr(), o.out)
	if err := s.serve(ctx, listener); err != nil {
		fmt.Fprintf(stderr, "webui: %v\n", err)
		return exitFailed
	}
	return exitOK
}

// listen takes an address of this machine that no other machine can reach.
// There is no login.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("-addr %s: %w; write it like 127.0.0.1:8080", addr, err)
	}
	switch host {
	case "localhost", "127.0.0.1", "::1": // as in guard.go
	default:
		return nil, fmt.Errorf("-addr %s: others could reach it, and there is no login; use 127.0.0.1, [::1] or localhost", addr)
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w; is webui running already? Else name another address by -addr", err)
	}
	return l, nil
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }
