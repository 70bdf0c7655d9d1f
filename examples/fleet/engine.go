package main

import (
	"context"
	"flag"
	"log/slog"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/examples/internal/engine"
	"github.com/holdfast-go/holdfast/tempdir"
)

// fakeName is the engine that hears nothing.
const fakeName = "fake"

// choice is an engine and how it is to work.
type choice struct {
	engine.Choice
	fakeTime time.Duration
}

func (c *choice) register(flags *flag.FlagSet) {
	c.Flags(flags)
	flags.Lookup("engine").Usage = "`ENGINE`: whispercpp, nemo, or fake, which hears nothing and is for tests of the fleet"
	flags.DurationVar(&c.fakeTime, "fake-time", 100*time.Millisecond, "how long the fake engine takes for an utterance")
}

func (c *choice) check() error {
	if c.Name == fakeName {
		return nil
	}
	return c.Check()
}

// open finds or fetches what the engine needs and opens it.
func (c *choice) open(ctx context.Context, root *tempdir.Root, log *slog.Logger) (asr.Transcriber, error) {
	if c.Name == fakeName {
		return fake{c.fakeTime}, nil
	}
	said := ""
	return c.Open(ctx, root, log, func(p whispercpp.Progress) {
		if p.Doing != said { // one line for each thing is enough in a log
			said = p.Doing
			log.Info(p.Doing)
		}
	})
}
