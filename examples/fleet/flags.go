package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

type options struct {
	command string
	quiet   bool

	url, tokenFile, creds   string // of the server
	ca, cert, key           string
	listen, store           string // serve
	batch, out              string
	urgent, upload, retry   bool // submit
	inputs                  []string
	root                    string // work
	engine                  choice
	idle, ackWait, patience time.Duration
	shards                  int // split
	tries, replicas         int
}

// sample is submitted when nothing is named.
const sample = "examples/transcribe/sample.wav"

const usage = `usage: fleet serve | work | submit | collect | status | cancel | split | merge [flags]

Transcribes recordings on many machines. On one of them, as four processes:

  fleet serve &
  fleet work & fleet work &
  fleet submit recordings/ && fleet collect

Each process may be killed and started again at any time. "fleet COMMAND -h"
lists the flags of a command.
`

// parseFlags reads the command line. If ok is false the program ends with code,
// and why has been said.
func parseFlags(args []string, stderr io.Writer) (o options, code int, ok bool) {
	if len(args) == 0 || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		fmt.Fprint(stderr, usage)
		if len(args) == 0 {
			return o, exitUsage, false
		}
		return o, exitOK, false
	}
	o.command = args[0]
	if _, known := (&program{}).commands()[o.command]; !known {
		fmt.Fprintf(stderr, "fleet: unknown command %q\n\n%s", o.command, usage)
		return o, exitUsage, false
	}
	flags := flag.NewFlagSet("fleet "+o.command, flag.ContinueOnError)
	flags.SetOutput(stderr)
	o.register(flags)
	if err := flags.Parse(args[1:]); errors.Is(err, flag.ErrHelp) {
		return o, exitOK, false
	} else if err != nil {
		return o, exitUsage, false
	}
	if err := o.complete(flags.Args()); err != nil {
		fmt.Fprintf(stderr, "fleet %s: %v\n", o.command, err)
		return o, exitUsage, false
	}
	return o, exitOK, true
}

// register gives each command the flags that it heeds.
func (o *options) register(flags *flag.FlagSet) {
	flags.BoolVar(&o.quiet, "quiet", false, "warnings and errors only")
	switch o.command {
	case "split":
		flags.StringVar(&o.out, "out", "shards", "`DIR` for the manifests")
		flags.IntVar(&o.shards, "n", 8, "`N` manifests")
		return
	case "merge":
		flags.StringVar(&o.out, "out", "transcripts", "`DIR` with the journal that takes the others in")
		return
	}
	flags.StringVar(&o.tokenFile, "token-file", "", "`FILE` with the token that the server asks for; serve makes one if it is missing")
	flags.StringVar(&o.cert, "tls-cert", "", "`FILE` with a certificate of this process, PEM")
	flags.StringVar(&o.key, "tls-key", "", "`FILE` with its key, PEM")
	flags.StringVar(&o.ca, "tls-ca", "", "`FILE` with the certificates that vouch for the others, PEM; serve then demands theirs")
	if o.command == "serve" {
		flags.StringVar(&o.store, "store", "", "`DIR`, a root, whose cache holds the server's data; else a root in the user's cache directory")
		flags.StringVar(&o.listen, "listen", "127.0.0.1:4222", "`HOST:PORT`; others than this machine need -token-file, or -tls-ca")
		return
	}
	flags.StringVar(&o.url, "url", "nats://127.0.0.1:4222", "`URL` of the server; several of a cluster with commas")
	if o.command != "work" { // which may be started before the server
		flags.DurationVar(&o.patience, "patience", 15*time.Second, "how long to wait for a server")
	}
	flags.StringVar(&o.creds, "creds", "", "`FILE` with NATS credentials")
	if o.command == "work" {
		flags.StringVar(&o.root, "root", "", "`DIR` for temporary files and the worker's journal; else one in the user's cache directory")
		flags.DurationVar(&o.idle, "idle", 0, "end when there was nothing to do for so long; 0: never")
		flags.IntVar(&o.tries, "tries", 0, "`N` workers get a job before it counts as failed; 0: 5")
		o.engine.register(flags)
		return
	}
	flags.StringVar(&o.batch, "batch", "batch", "`NAME` of what is submitted together: letters, digits, _ and -")
	if o.command == "submit" || o.command == "collect" {
		flags.StringVar(&o.out, "out", "transcripts", "`DIR` with the journal, in which collect puts the transcripts")
	}
	if o.command == "submit" {
		flags.BoolVar(&o.urgent, "urgent", false, "before all that is not urgent")
		flags.BoolVar(&o.upload, "upload", false, "copy the recordings to the server, for workers that cannot reach them by path")
		flags.BoolVar(&o.retry, "retry-failed", false, "submit again what has failed")
		flags.DurationVar(&o.ackWait, "ack-wait", 0, "after so long a silence a worker counts as dead; heeded by a server's first submit; 0: 1m")
		flags.IntVar(&o.replicas, "replicas", 0, "`N` servers of a cluster that keep each message, likewise; 0: 1")
	}
}

func (o *options) complete(inputs []string) (err error) {
	switch takes := o.command == "submit" || o.command == "split" || o.command == "merge"; {
	case len(inputs) > 0 && !takes:
		return fmt.Errorf("unexpected %q", inputs[0])
	case len(inputs) == 0 && o.command == "merge":
		return errors.New("name the journals")
	case o.command == "split" && o.shards < 1:
		return fmt.Errorf("-n %d: there must be one manifest at least", o.shards)
	}
	for _, dir := range []*string{&o.store, &o.root} {
		if *dir == "" {
			continue
		}
		if *dir, err = filepath.Abs(*dir); err != nil {
			return err
		}
	}
	if o.command == "work" {
		return o.engine.check()
	}
	o.inputs = inputs
	if (o.command == "submit" || o.command == "split") && len(inputs) == 0 {
		if _, err := os.Stat(sample); err != nil {
			return fmt.Errorf("name a recording, a folder or a manifest; the sample (%s) is only found from the repository's own folder", sample)
		}
		o.inputs = []string{filepath.FromSlash(sample)}
	}
	return nil
}
