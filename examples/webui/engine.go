package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/tempdir"
)

// engineOpener finds or fetches what an engine needs and opens it.
type engineOpener func(ctx context.Context, o options, root *tempdir.Root, log *slog.Logger, stderr io.Writer) (asr.Transcriber, error)

func openEngine(ctx context.Context, o options, root *tempdir.Root, log *slog.Logger, stderr io.Writer) (asr.Transcriber, error) {
	if o.engine != "whispercpp" {
		return nil, fmt.Errorf("unknown engine %q; there is whispercpp", o.engine)
	}
	var last string
	fetcher := whispercpp.Fetcher{Python: o.python, Progress: func(p whispercpp.Progress) {
		if p.Doing != last {
			last = p.Doing
			fmt.Fprintf(stderr, "webui: first run: %s\n", p.Doing)
		}
	}}
	model, err := fetcher.Model(ctx, o.model)
	if err != nil {
		return nil, err
	}
	binary := o.binary
	if binary == "" {
		if binary, err = fetcher.Binary(ctx); err != nil {
			return nil, err
		}
	}
	return whispercpp.Open(ctx, whispercpp.Config{
		Binary: binary, Model: model, Root: root, Language: o.lang, Words: true, Logger: log,
	})
}
