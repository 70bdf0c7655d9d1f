// Command transcribe turns recordings into text and subtitles, and loses none
// of them: every transcript is in a journal on disk before it is shown, and the
// same command again goes on where an earlier one stopped, however that ended.
//
//	transcribe [flags] [FILE | DIR | MANIFEST.json ...]
//
// Exit code 0: every input has a transcript. 1: some have none; each is named
// on standard error with its cause, or it was interrupted, which is said too.
// 2: the flags, the root, the output folder or the engine cannot be used.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

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
	context.AfterFunc(ctx, stop) // who presses Ctrl-C twice wants out at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, code, ok := parseFlags(args, stderr)
	if !ok {
		return code
	}
	out := newPrinter(o, stdout, stderr)
	defer out.clear()
	unusable := func(err error) int {
		out.problem(err)
		return exitUsage
	}
	log := slog.New(slog.NewTextHandler(out.aside(), &slog.HandlerOptions{Level: slog.LevelWarn}))

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

	j := job{
		options: o, root: root, journal: journal, engine: engine, log: log, out: out,
		publish: publisher{files: files, out: o.out, formats: o.formats, folders: o.folders(), log: log},
	}
	defer context.AfterFunc(ctx, out.stopping)()
	interrupted, err := j.run(ctx)
	if err != nil {
		return unusable(err)
	}
	return out.end(interrupted)
}

func usage(w io.Writer) {
	fmt.Fprint(w, `usage: transcribe [flags] [FILE | DIR | MANIFEST.json ...]

Transcribes recordings, and the sound of videos where ffmpeg is installed: files,
folders with all that is below them, and manifests as NeMo has them. Without a
name: the sample of the repository. Run the same command again to go on after an
interruption: what is in the journal (OUT/journal.jsonl) is not done again.
A transcript never takes the place of a file that is there, such as one that you
have corrected, or another model's: its own name then ends in its id.

  transcribe talk.wav lecture.mp4                   into transcripts/
  transcribe -out texts -format srt,vtt recordings  a folder, into texts/
  transcribe -model base -lang de interview.m4a     another model, a known language
  transcribe -json manifest.json | jq -r .text      for other programs
  transcribe -watch incoming                        whatever is put there, until Ctrl-C
  transcribe -engine nemo -python venv/bin/python -model parakeet.nemo recordings

Exit code 0: every input has a transcript. 1: some have none, or it was
interrupted. 2: the flags, a folder or the engine cannot be used.

`)
}
