// Lockstorm saves and replaces files and works through a folder of recordings while a storm of holders opens everything
// that it sees, as virus scanners, indexers and sync clients do. In the end it prints what it met; nothing may have
// failed, and no result may be lost.
//
//	go run ./examples/lockstorm -for 10s
//
// On Windows the holders are other processes. Elsewhere an open file refuses nothing, so they are those of the model
// in package locktest, which knows Windows's rules.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/holdfast-go/holdfast/retry/locktest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // who presses Ctrl-C twice wants out at once
	os.Exit(start(ctx, os.Args[1:]))
}

type options struct {
	dir     string
	length  time.Duration
	holders int
	scanner locktest.Scanner
}

func start(ctx context.Context, args []string) int {
	var o options
	flags := flag.NewFlagSet("lockstorm", flag.ContinueOnError)
	flags.StringVar(&o.dir, "dir", "", "an empty or new `folder` to work in; else a temporary one")
	flags.DurationVar(&o.length, "for", 5*time.Second, "how long the storm lasts")
	flags.IntVar(&o.holders, "holders", 2, "how many scanners there are")
	flags.DurationVar(&o.scanner.Min, "min", 5*time.Millisecond, "shortest hold")
	flags.DurationVar(&o.scanner.Max, "max", 500*time.Millisecond, "longest hold")
	share := flags.String("share", "none", "what the holders let others do: none, r, rw or rwd")
	scan := flags.Bool("scan", false, "be a holder: scan -dir until stdin ends")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if err := o.complete(flags.Args(), *share, *scan); err != nil {
		fmt.Fprintln(os.Stderr, "lockstorm:", err)
		return 2
	}
	if *scan {
		beHolder(ctx, o)
		return 0
	}

	r, err := run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lockstorm:", err)
		return 2
	}
	r.print(os.Stdout)
	if r.failed() {
		return 1
	}
	return 0
}

func (o *options) complete(args []string, share string, scan bool) error {
	for _, s := range []locktest.Share{locktest.ShareNone, locktest.ShareRead, locktest.ShareGo, locktest.ShareAll} {
		if s.String() == share {
			o.scanner.Share = s
		}
	}
	switch {
	case len(args) > 0:
		return fmt.Errorf("%q is not a flag", args[0])
	case o.scanner.Share.String() != share:
		return fmt.Errorf("-share %s is not none, r, rw or rwd", share)
	case o.length < 0 || o.holders < 0:
		return errors.New("-for and -holders are not below 0")
	case o.scanner.Min < 0 || o.scanner.Min > o.scanner.Max:
		return errors.New("-min is from 0 to -max")
	case scan && o.dir == "":
		return errors.New("-scan needs -dir")
	}
	return nil
}
