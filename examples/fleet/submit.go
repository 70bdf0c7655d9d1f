package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/jetstream"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
)

// Names in the output folder.
const (
	journalName     = "journal.jsonl"
	transcriptsName = "transcripts.json"
)

// openJournal opens the collector's journal.
func (p *program) openJournal(ctx context.Context) (*manifest.Journal, error) {
	files := retry.FS{Public: true} // results are the user's, with the user's permissions
	if err := files.MkdirAll(ctx, p.out); err != nil {
		return nil, err
	}
	return manifest.OpenJournal(ctx, filepath.Join(p.out, journalName), manifest.Options{FS: files})
}

func (p *program) submit(ctx context.Context) error {
	journal, err := p.openJournal(ctx)
	if errors.Is(err, manifest.ErrInUse) {
		journal, err = nil, nil // by a collector: the server knows what it knows
	}
	if err != nil {
		return unusable(err)
	}
	if journal != nil {
		defer journal.Close()
	}
	return p.withFleet(ctx, func(f *jetstream.Fleet) error {
		s, err := f.Submit(ctx, p.batch, asr.Files(ctx, p.inputs...), jetstream.SubmitOptions{
			Journal: journal, Urgent: p.urgent, Upload: p.upload, RetryFailed: p.retry,
		})
		fmt.Fprintf(p.stdout, "%s: %d utterances; %d submitted, %d waiting already, %d done already\n", p.batch, s.Total, s.Sent, s.Queued, s.Done)
		return err
	})
}

func (p *program) collect(ctx context.Context) error {
	journal, err := p.openJournal(ctx)
	if err != nil {
		return unusable(err)
	}
	defer journal.Close()
	return p.withFleet(ctx, func(f *jetstream.Fleet) error {
		var told time.Time
		report, err := f.Collect(ctx, p.batch, journal, jetstream.CollectOptions{Progress: func(done, total int) {
			if !p.quiet && time.Since(told) > 2*time.Second {
				told = time.Now()
				fmt.Fprintf(p.stderr, "%d of %d\n", done, total)
			}
		}})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		fmt.Fprintf(p.stdout, "%s: %d transcribed, %d collected earlier, %d failed\n", p.batch, report.Done, report.Resumed, report.Failed)
		if report.Done+report.Resumed > 0 {
			path, failed := p.publish(ctx, f, journal)
			if failed == nil {
				fmt.Fprintf(p.stdout, "%s: results in %s\n", p.batch, path)
			}
			err = errors.Join(err, failed)
		}
		return err
	})
}
