// Command transcribe turns recordings into text and subtitles, and loses none
// of them: every transcript is in a journal on disk before it is shown, and the
// same command again goes on where an earlier one stopped, however that ended.
//
//	transcribe [flags] [FILE | DIR | MANIFEST.json ...]
//
// Exit code 0: every input has a transcript. 1: some have none; each is named
// on standard error with its cause. 2: the flags, the root, the output folder
// or the engine cannot be used.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// sample is transcribed when nothing is named.
const sample = "examples/transcribe/sample.wav"

// journalName is the journal's name in the output folder.
const journalName = "journal.jsonl"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, code, ok := parseFlags(args, stderr)
	if !ok {
		return code
	}
	out := newPrinter(o, stdout, stderr)
	defer out.close()
	unusable := func(err error) int {
		out.problem(err)
		return exitUsage
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))

	root, err := tempdir.Open(ctx, o.root, tempdir.Options{Logger: log})
	if err != nil {
		return unusable(err)
	}
	files := retry.FS{Public: true} // results are the user's, with the user's permissions
	if err := files.MkdirAll(ctx, o.out); err != nil {
		return unusable(err)
	}
	journal, err := manifest.OpenJournal(ctx, filepath.Join(o.out, journalName), manifest.Options{FS: files})
	if err != nil {
		return unusable(err)
	}
	defer journal.Close()
	engine, err := o.engine.Open(ctx, root, log, out.fetching)
	out.clear()
	if err != nil {
		return unusable(err)
	}
	defer engine.Close()

	publish := publisher{files: files, out: o.out, formats: o.formats, folders: o.inputs}
	for t, err := range asr.Stream(ctx, engine, asr.Files(ctx, o.inputs...), asr.Options{
		Root: root, Journal: journal, Logger: log, Trace: asr.Trace{Start: out.start},
	}) {
		if err == nil {
			err = publish.write(ctx, t)
		}
		if err == nil {
			err = out.transcript(t)
		}
		switch {
		case err == nil:
		case ctx.Err() != nil:
			out.interrupted()
			return exitFailed
		default:
			out.failed(err)
			if _, ok := errors.AsType[*asr.EngineError](err); ok {
				return exitUsage
			}
		}
	}
	out.summary()
	if out.failures > 0 {
		return exitFailed
	}
	return exitOK
}

func usage(w io.Writer) {
	fmt.Fprint(w, `usage: transcribe [flags] [FILE | DIR | MANIFEST.json ...]

Transcribes recordings. Without a name: the sample of the repository.
Run the same command again to go on after an interruption: what is in
the journal (OUT/journal.jsonl) is not transcribed again.

`)
}
