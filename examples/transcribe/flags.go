package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/holdfast-go/holdfast/asr/subtitle"
	"github.com/holdfast-go/holdfast/examples/internal/engine"
)

type options struct {
	engine      engine.Choice
	root, out   string
	formats     []subtitle.Format
	json, quiet bool
	parallel    int
	watch       string // folder; "": none
	inputs      []string
}

const everyFormat = "txt,srt,vtt,tsv,json,ctm"

// parseFlags reads the command line. If ok is false the program ends with
// code, and why has been said.
func parseFlags(args []string, stderr io.Writer) (o options, code int, ok bool) {
	var format string
	flags := flag.NewFlagSet("transcribe", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		usage(stderr)
		flags.PrintDefaults()
	}
	o.engine.Flags(flags)
	flags.StringVar(&o.root, "root", "", "`DIR` for temporary files; else one in the user's cache directory")
	flags.StringVar(&o.out, "out", "transcripts", "`DIR` for transcripts and the journal")
	flags.StringVar(&format, "format", "txt,srt", "`LIST` of "+everyFormat+", or all")
	flags.StringVar(&o.watch, "watch", "", "transcribe also what is put into `DIR`, now or later, until Ctrl-C")
	flags.IntVar(&o.parallel, "parallel", 0, "`N` recordings at the same time; 0: as many as the engine bears")
	flags.BoolVar(&o.json, "json", false, "one JSON line a transcript on standard output")
	flags.BoolVar(&o.quiet, "quiet", false, "no progress and no text; errors and -json remain")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return o, exitOK, false
	} else if err != nil {
		return o, exitUsage, false
	}
	if err := o.complete(flags.Args(), format); err != nil {
		fmt.Fprintf(stderr, "transcribe: %v\n", err)
		return o, exitUsage, false
	}
	return o, exitOK, true
}

func (o *options) complete(inputs []string, format string) (err error) {
	if err := o.engine.Check(); err != nil {
		return err
	}
	if format == "all" {
		format = everyFormat
	}
	if o.formats, err = subtitle.Parse(format); err != nil {
		return err
	}
	if slices.Contains(o.formats, subtitle.CTM) {
		o.engine.Words = true // it is made of nothing else
	}
	if o.root != "" {
		if o.root, err = filepath.Abs(o.root); err != nil {
			return err
		}
	}
	if o.parallel < 0 {
		return fmt.Errorf("-parallel %d is below 0", o.parallel)
	}
	o.inputs = inputs
	if len(inputs) == 0 && o.watch == "" {
		if _, err := os.Stat(sample); err != nil {
			return fmt.Errorf("name a recording, a folder or a manifest; the sample (%s) is only found from the repository's own folder", sample)
		}
		o.inputs = []string{filepath.FromSlash(sample)}
	}
	return nil
}

// folders are those below which names are kept in the output.
func (o *options) folders() []string {
	if o.watch == "" {
		return o.inputs
	}
	return append(slices.Clone(o.inputs), o.watch)
}
