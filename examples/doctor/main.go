// Command doctor examines a machine and says in plain words what would keep
// speech recognition from working here, and what to do about it.
//
//	go run ./examples/doctor
//
// It looks at the folder for temporary files (every check that tempdir.Open
// makes), at who touches fresh files in it and for how long, at the engines and
// models that are there, and, given its Python, at an installation of NeMo. It
// changes nothing but that folder, which it makes a root, as a job would.
//
// Exit code 0: a job would run; there may be warnings. 1: a job would fail.
// 2: the flags are wrong, or it was interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/holdfast-go/holdfast/internal/proc"
)

const (
	exitOK     = 0
	exitSick   = 1
	exitUsage  = 2
	maxFiles   = 100_000
	usageLines = `usage: doctor [flags]

Examines this machine and says what is wrong and what to do.

  doctor                                   the default folder, engines and models
  doctor -root D:\work -files 1000         another folder, and a longer lock test
  doctor -try                              and does whisper.cpp really work?
  doctor -python venv/bin/python           an installation of NeMo too
  doctor -python venv/bin/python -model parakeet.nemo -try
  doctor -json > report.json               for programs, and for a question to somebody else

`
)

func main() {
	guardian := proc.GuardianMain()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who presses Ctrl-C twice wants out at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, guardian))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, guardian *proc.Guardian) int {
	d := doctor{machine: thisMachine(guardian)}
	var asJSON bool
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usageLines)
		flags.PrintDefaults()
	}
	flags.StringVar(&d.root, "root", "", "`DIR` for temporary files that is to be examined; else the default one")
	flags.IntVar(&d.files, "files", 200, "`N` fresh files for the lock test; 0: none")
	flags.StringVar(&d.binary, "binary", "", "`PATH` of whisper-cli; else that on the PATH, or in the cache")
	flags.StringVar(&d.model, "model", "", "`PATH` of a model for whisper.cpp, beside those in the cache; with -python, of a model for NeMo")
	flags.StringVar(&d.python, "python", "", "`PATH` of the Python of an installation of NeMo")
	flags.BoolVar(&d.trial, "try", false, "let the engine transcribe a second of silence")
	flags.BoolVar(&asJSON, "json", false, "one JSON document on standard output")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return exitOK
	} else if err != nil {
		return exitUsage
	}
	if err := d.complete(flags.Args()); err != nil {
		fmt.Fprintf(stderr, "doctor: %v\n", err)
		return exitUsage
	}

	show := newPrinter(stdout, stderr, asJSON, d.trial)
	d.tell, d.doing = show.finding, show.doing
	d.examine(ctx)
	if ctx.Err() != nil {
		show.clear()
		fmt.Fprintln(stderr, "doctor: interrupted")
		return exitUsage
	}
	sick, err := show.end()
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "doctor: %v\n", err)
		return exitUsage
	case sick:
		return exitSick
	}
	return exitOK
}

func (d *doctor) complete(args []string) (err error) {
	if len(args) > 0 {
		return fmt.Errorf("%q is not a flag; name a folder by -root", args[0])
	}
	if d.files < 0 || d.files > maxFiles {
		return fmt.Errorf("-files %d is not between 0 and %d", d.files, maxFiles)
	}
	if d.root != "" {
		d.root, err = filepath.Abs(d.root)
	}
	return err
}
