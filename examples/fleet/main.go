// Command fleet transcribes recordings on many machines: one serves, any number
// work, and whoever has recordings submits them and collects the transcripts.
// Each process may be killed and started again at any time.
//
//	fleet serve   [flags]                             a server for those who have none
//	fleet work    [flags]                             transcribes what was submitted
//	fleet submit  [flags] [FILE | DIR | MANIFEST ...] hands recordings in
//	fleet collect [flags]                             brings the transcripts into OUT
//	fleet status  [flags]                             says how far a batch is
//	fleet cancel  [flags]                             takes a batch back
//	fleet split   [flags] [FILE | DIR | MANIFEST ...] writes manifests for a cluster's scheduler
//	fleet merge   [flags] JOURNAL ...                 brings the journals of shards into one
//
// Exit code 0: all is done. 1: something failed, and was named. 2: the flags,
// the server, the root or the engine cannot be used.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/jetstream"
)

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// program is one call of a command.
type program struct {
	options
	stdout, stderr io.Writer
	log            *slog.Logger
}

// errUsage marks what cannot be used, and not what has failed.
var errUsage = errors.New("")

func unusable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w%w", errUsage, err)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, code, ok := parseFlags(args, stderr)
	if !ok {
		return code
	}
	level := slog.LevelInfo
	if o.quiet {
		level = slog.LevelWarn
	}
	p := &program{options: o, stdout: stdout, stderr: stderr,
		log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))}
	err := p.commands()[o.command](ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintf(stderr, "fleet %s: interrupted; what was done is safe. The same command goes on from there.\n", o.command)
		return exitFailed
	}
	fmt.Fprintf(stderr, "fleet %s: %v\n", o.command, err)
	engine, isEngine := errors.AsType[*asr.EngineError](err)
	if errors.Is(err, errUsage) || isEngine && engine.Fatal {
		return exitUsage
	}
	return exitFailed
}

func (p *program) commands() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"serve": p.serve, "work": p.work, "submit": p.submit, "collect": p.collect, "status": p.status, "cancel": p.cancel,
		"split": p.split, "merge": p.merge,
	}
}

func (p *program) cancel(ctx context.Context) error {
	return p.withFleet(ctx, func(f *jetstream.Fleet) error { return f.Cancel(ctx, p.batch) })
}

func (p *program) status(ctx context.Context) error {
	return p.withFleet(ctx, func(f *jetstream.Fleet) error {
		s, err := f.Status(ctx, p.batch)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%s: %d of %d done, %d waiting", p.batch, s.Done, s.Jobs, s.Waiting)
		if s.Cancelled {
			fmt.Fprint(p.stdout, ", cancelled")
		} else if s.Done+s.Waiting < s.Jobs {
			fmt.Fprint(p.stdout, "; submit it again, some were lost")
		}
		fmt.Fprintf(p.stdout, "\nall batches: %d being worked on, of them %d given to a second worker\n", s.Working, s.Redelivered)
		return nil
	})
}
