package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
)

// split writes manifests of about equal duration, for a cluster that has a
// scheduler of its own (docs/clusters.md).
func (p *program) split(ctx context.Context) error {
	var entries []manifest.Entry
	for e, err := range asr.Files(ctx, p.inputs...) {
		if err != nil {
			return err
		}
		if e.AudioPath, err = filepath.Abs(e.AudioPath); err != nil {
			return err
		}
		entries = append(entries, e)
	}
	names, err := manifest.ShardNames(fmt.Sprintf("manifest__OP_0..%d_CL_.json", p.shards-1))
	if err != nil {
		return unusable(err)
	}
	files := retry.FS{Public: true}
	if err := files.MkdirAll(ctx, p.out); err != nil {
		return unusable(err)
	}
	shards := balanced(ctx, entries, p.shards)
	for n, shard := range shards { // all or none: manifests of two divisions would do some recordings twice, and some never
		path := filepath.Join(p.out, names[n])
		switch old, err := files.ReadFile(ctx, path); {
		case errors.Is(err, fs.ErrNotExist) || err == nil && bytes.Equal(old, lines(shard)):
		case err != nil:
			return err
		default:
			return unusable(fmt.Errorf("%s is there and differs: remove it, or choose another folder by -out", path))
		}
	}
	for n, shard := range shards {
		path := filepath.Join(p.out, names[n])
		if err := files.WriteFile(ctx, path, lines(shard)); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%s: %d utterances\n", path, len(shard))
	}
	return nil
}

func lines(entries []manifest.Entry) (text []byte) {
	for _, e := range entries {
		text = append(e.AppendJSON(text), '\n')
	}
	return text
}

// balanced splits by the duration of the recordings, which entries need not
// state. They are written as they were given: a stated duration is part of what
// a transcript is known by.
func balanced(ctx context.Context, entries []manifest.Entry, n int) [][]manifest.Entry {
	type stretch struct {
		path             string
		offset, duration time.Duration
	}
	guessed := make(map[stretch]bool)
	known := slices.Clone(entries)
	for i := range known {
		e := &known[i]
		if e.Duration > 0 {
			continue
		}
		if audio, err := asr.Inspect(ctx, e.AudioPath); err == nil && audio.Duration > e.Offset {
			e.Duration = audio.Duration - e.Offset
			guessed[stretch{e.AudioPath, e.Offset, e.Duration}] = true
		}
	}
	shards := manifest.Split(known, n)
	for _, shard := range shards {
		for i := range shard {
			if e := &shard[i]; guessed[stretch{e.AudioPath, e.Offset, e.Duration}] {
				e.Duration = 0
			}
		}
	}
	return shards
}

// merge brings the journals of shards into one.
func (p *program) merge(ctx context.Context) error {
	journal, err := p.openJournal(ctx)
	if err != nil {
		return unusable(err)
	}
	defer journal.Close()
	if err := journal.Merge(ctx, p.inputs...); err != nil {
		return err
	}
	for _, damaged := range journal.Damaged() {
		fmt.Fprintf(p.stderr, "fleet merge: left out: %v\n", damaged)
	}
	records := 0
	for range journal.All() {
		records++
	}
	fmt.Fprintf(p.stdout, "%s: %d transcripts\n", filepath.Join(p.out, journalName), records)
	return nil
}
