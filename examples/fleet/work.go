package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/jetstream"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

func (p *program) work(ctx context.Context) error {
	root, err := tempdir.Open(ctx, p.root, tempdir.Options{Logger: p.log})
	if err != nil {
		return unusable(err)
	}
	journal, err := workerJournal(ctx, root)
	if err != nil {
		return unusable(err)
	}
	defer journal.Close()
	engine, err := p.engine.open(ctx, root, p.log)
	if err != nil {
		return unusable(err)
	}
	defer engine.Close()
	return p.withFleet(ctx, func(f *jetstream.Fleet) error {
		about := engine.Engine()
		p.log.Info("working", "server", p.url, "engine", about.Name, "model", about.Model)
		worked, err := f.Work(ctx, engine, jetstream.WorkOptions{
			Run:      asr.Options{Root: root, Journal: journal, Logger: p.log},
			MaxTries: p.tries,
			Idle:     p.idle,
		})
		fmt.Fprintf(p.stdout, "%d transcribed, of them %d earlier; %d failed, %d were done before\n",
			worked.Done, worked.Resumed, worked.Failed, worked.Late+worked.Skipped)
		return err
	})
}

// workerJournal opens a journal that no other worker of the root has open. One
// that another left is as good as a new one, and better: its transcripts are not
// made again.
func workerJournal(ctx context.Context, root *tempdir.Root) (*manifest.Journal, error) {
	dir, err := root.Cache(ctx, "fleet")
	if err != nil {
		return nil, err
	}
	for n := 1; ; n++ {
		journal, err := manifest.OpenJournal(ctx, filepath.Join(dir, fmt.Sprintf("worker-%d.jsonl", n)), manifest.Options{})
		if !errors.Is(err, manifest.ErrInUse) {
			return journal, err
		}
	}
}
