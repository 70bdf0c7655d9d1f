package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/tempdir"
)

// choice is an engine and how it is to work.
type choice struct {
	name, model, binary, python, lang string
	words                             bool
	fakeTime                          time.Duration
}

func (c *choice) register(flags *flag.FlagSet) {
	flags.StringVar(&c.name, "engine", "whispercpp", "`ENGINE`: whispercpp, or fake, which hears nothing and is for tests of the fleet")
	flags.StringVar(&c.model, "model", "tiny.en", "`NAME` (tiny.en, base) or path of a model")
	flags.StringVar(&c.binary, "binary", "", "`PATH` of whisper-cli; else that on the PATH, else one that is fetched")
	flags.StringVar(&c.python, "python", "", "`PATH` of the Python that fetches the model")
	flags.StringVar(&c.lang, "lang", "", "language `CODE`, such as en; else detected")
	flags.BoolVar(&c.words, "words", false, "words with times")
	flags.DurationVar(&c.fakeTime, "fake-time", 100*time.Millisecond, "how long the fake engine takes for an utterance")
}

func (c *choice) check() error {
	if c.name != "whispercpp" && c.name != "fake" {
		return fmt.Errorf("unknown engine %q; there are whispercpp and fake", c.name)
	}
	return nil
}

// open finds or fetches what the engine needs and opens it.
func (c *choice) open(ctx context.Context, root *tempdir.Root, log *slog.Logger) (asr.Transcriber, error) {
	if c.name == "fake" {
		return fake{c.fakeTime}, nil
	}
	said := ""
	fetcher := whispercpp.Fetcher{Python: c.python, Progress: func(p whispercpp.Progress) {
		if p.Doing != said {
			said = p.Doing
			log.Info(p.Doing)
		}
	}}
	model, err := fetcher.Model(ctx, c.model)
	if err != nil {
		return nil, err
	}
	binary := c.binary
	if binary == "" {
		if binary, err = fetcher.Binary(ctx); err != nil {
			return nil, err
		}
	}
	return whispercpp.Open(ctx, whispercpp.Config{Binary: binary, Model: model, Root: root, Language: c.lang, Words: c.words, Logger: log})
}
