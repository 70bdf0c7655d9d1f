package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"

	"github.com/holdfast-go/holdfast/examples/internal/engine"
)

type options struct {
	addr, root, out string
	engine          engine.Choice
	limits          limits
}

// maxMiB keeps sums of sizes in bytes within their type: 1 PiB.
const maxMiB = 1 << 30

// parseFlags reads the command line. If ok is false the program ends with
// code, and why has been said.
func parseFlags(args []string, stderr io.Writer) (o options, code int, ok bool) {
	var maxSize, minFree int64
	flags := flag.NewFlagSet("webui", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`ADDRESS` of this machine; port 0 takes a free one")
	flags.StringVar(&o.root, "root", "", "`DIR` for temporary files; else one in the user's cache directory")
	flags.StringVar(&o.out, "out", "transcripts-web", "`DIR` for uploads, transcripts and the journal")
	flags.Int64Var(&maxSize, "max-size", 4096, "largest upload in `MiB`")
	flags.Int64Var(&minFree, "min-free", 512, "`MiB` of disk that uploads leave free")
	o.engine.Flags(flags)
	flags.Lookup("words").Usage = "always on here: words with times, which programs may ask for"
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return o, exitOK, false
	} else if err != nil {
		return o, exitUsage, false
	}
	o.engine.Words = true // programs may ask for them
	if err := o.complete(flags.Args(), maxSize, minFree); err != nil {
		fmt.Fprintf(stderr, "webui: %v\n", err)
		return o, exitUsage, false
	}
	return o, exitOK, true
}

const usage = `usage: webui [flags]

Serves a page on which recordings are transcribed. Open the address that it
prints in a browser of this machine.

  webui                                    the page at http://127.0.0.1:8080/
  webui -model base -lang de -out ~/talks  another model, German, another folder

`

func (o *options) complete(rest []string, maxSize, minFree int64) (err error) {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected %q; recordings are uploaded on the page", rest[0])
	case maxSize <= 0 || maxSize > maxMiB:
		return fmt.Errorf("-max-size %d is not between 1 and %d", maxSize, maxMiB)
	case minFree < 0 || minFree > maxMiB:
		return fmt.Errorf("-min-free %d is not between 0 and %d", minFree, maxMiB)
	}
	o.limits = limits{upload: maxSize << 20, free: minFree << 20}
	if err := o.engine.Check(); err != nil {
		return err
	}
	if o.root != "" {
		if o.root, err = filepath.Abs(o.root); err != nil {
			return err
		}
	}
	o.out, err = filepath.Abs(o.out)
	return err
}
