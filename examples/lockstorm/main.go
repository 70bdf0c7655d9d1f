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
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/holdfast-go/holdfast/retry/locktest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
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
	flags.StringVar(&o.dir, "dir", "", "the `folder` to work in; a temporary one where it is empty")
	flags.DurationVar(&o.length, "for", 5*time.Second, "how long the storm lasts")
	flags.IntVar(&o.holders, "holders", 2, "how many scanners there are")
	flags.DurationVar(&o.scanner.Min, "min", 5*time.Millisecond, "shortest hold")
	flags.DurationVar(&o.scanner.Max, "max", 500*time.Millisecond, "longest hold")
	share := flags.String("share", "none", "what the holders let others do: none, r, rw or rwd")
	scan := flags.Bool("scan", false, "be a holder: scan -dir until stdin ends")
	if flags.Parse(args) != nil {
		return 2
	}
	for _, s := range []locktest.Share{locktest.ShareNone, locktest.ShareRead, locktest.ShareGo, locktest.ShareAll} {
		if s.String() == *share {
			o.scanner.Share = s
		}
	}
	if o.scanner.Share.String() != *share || o.scanner.Min > o.scanner.Max {
		fmt.Fprintln(os.Stderr, "lockstorm: -share is none, r, rw or rwd, and -min is not above -max")
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
