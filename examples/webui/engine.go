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
	var last string
	return o.engine.Open(ctx, root, log, func(p whispercpp.Progress) {
		if p.Doing != last {
			last = p.Doing
			fmt.Fprintf(stderr, "webui: %s\n", p.Doing)
		}
	})
}
