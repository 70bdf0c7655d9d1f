package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/holdfast-go/holdfast/asr/jetstream"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
)

// publish makes the manifest of what the batch has so far, and gives its path.
// A file that is there is replaced only by one with all of its lines, as the
// next collect makes it. What somebody has corrected stays, and another batch's
// results do; then the name has the batch in it, or what is in the file as well.
func (p *program) publish(ctx context.Context, f *jetstream.Fleet, journal *manifest.Journal) (string, error) {
	files := retry.FS{Public: true}
	fresh := journal.Path() + ".publishing" // nobody else's, as the journal is not
	if err := f.Publish(ctx, p.batch, journal, fresh, manifest.Options{FS: files}); err != nil {
		return "", err
	}
	content, err := files.ReadFile(ctx, fresh)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	for _, name := range []string{
		transcriptsName, "transcripts-" + p.batch + ".json", fmt.Sprintf("transcripts-%s-%x.json", p.batch, sum[:4]),
	} {
		path := filepath.Join(p.out, name)
		old, err := files.ReadFile(ctx, path)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return "", err
		case hasLines(content, old):
			return path, files.Replace(ctx, fresh, path)
		}
		fmt.Fprintf(p.stderr, "fleet collect: %s is there with other lines and stays\n", path)
	}
	return fresh, nil
}

// hasLines tells whether all lines of old are in content.
func hasLines(content, old []byte) bool {
	known := make(map[string]bool)
	for line := range bytes.Lines(content) {
		known[string(line)] = true
	}
	for line := range bytes.Lines(old) {
		if !known[string(line)] {
			return false
		}
	}
	return true
}
