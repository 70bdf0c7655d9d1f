package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/tempdir"
)

// openEngine finds or fetches what the engine needs and opens it.
func openEngine(ctx context.Context, o options, root *tempdir.Root, log *slog.Logger, out *printer) (asr.Transcriber, error) {
	if o.engine == "nemo" {
		return nil, errors.New("the engine nemo is not there yet; use -engine whispercpp")
	}
	fetcher := whispercpp.Fetcher{Python: o.python, Progress: out.fetching}
	defer out.clear()
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
		Binary: binary, Model: model, Root: root, Language: o.lang, Words: o.words, Logger: log,
	})
}
