package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/subtitle"
	"github.com/holdfast-go/holdfast/retry"
)

// publisher writes transcripts into the output folder, each file whole or not
// at all. A file that is there stays as it is: it may be somebody's.
type publisher struct {
	files   retry.FS
	out     string
	formats []subtitle.Format
	folders []string // inputs; the order below a folder is kept in the output
	log     *slog.Logger
	owners  map[string]string // of lower-cased output names: a recording, or a stretch of one
	visited map[string]bool   // folders that transcripts went into since the last tidy
}

// abandoned is how old a file without its final name must be to be a killed
// run's. The journal's lock does not keep every neighbour out: the output folder
// of another run may lie in this one, or around it. A neighbour that lives writes
// a transcript at once and renames it within the 10 s for which it is tried.
const abandoned = time.Minute

// write publishes one transcript in every format.
func (p *publisher) write(ctx context.Context, t asr.Transcript) error {
	names := p.names(t)
	for _, format := range p.formats {
		var b bytes.Buffer
		err := subtitle.Write(&b, format, t)
		if err == nil {
			err = p.publish(ctx, names, "."+string(format), b.Bytes())
		}
		if err != nil {
			return &asr.UtteranceError{ID: t.ID, Path: t.Source.AudioPath,
				Err: fmt.Errorf("its transcript is in the journal, but its %s file could not be written: %w", format, err)}
		}
	}
	return nil
}

// publish writes a file under the first of the names that is free. It is done
// when one of them has the content, from an earlier run. What else is there was
// corrected by somebody, or is another recording's or another engine's.
func (p *publisher) publish(ctx context.Context, names []string, ext string, data []byte) error {
	p.visit(filepath.Dir(names[0]))
	for n, name := range names {
		path := filepath.Join(p.out, name+ext)
		old, err := p.files.ReadFile(ctx, path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if n > 0 {
				p.log.Warn("a file of that name is there and stays", "file", filepath.Join(p.out, names[0]+ext), "written", path)
			}
			return p.create(ctx, path, data)
		case err != nil || bytes.Equal(old, data):
			return err
		}
	}
	return nil // somebody has corrected the one that only this transcript can have
}

func (p *publisher) create(ctx context.Context, path string, data []byte) error {
	if err := p.files.MkdirAll(ctx, filepath.Dir(path)); err != nil {
		return err
	}
	return p.files.WriteFile(ctx, path, data)
}

func (p *publisher) visit(dir string) {
	if p.visited == nil {
		p.visited = make(map[string]bool)
	}
	p.visited[filepath.Join(p.out, dir)] = true
}

// tidy removes what killed runs were just writing in the folders of this one.
func (p *publisher) tidy(ctx context.Context) {
	for dir := range p.visited {
		if err := p.files.RemoveAbandoned(ctx, dir, abandoned); err != nil {
			p.log.Warn("what a killed run left stays", "dir", dir, "err", err)
		}
	}
	clear(p.visited)
}

// names gives the names, without extension, that a transcript's files may have:
// that of the recording, and for a stretch of one its place in it, unless
// another recording of this run has that name; and one with the transcript's id.
func (p *publisher) names(t asr.Transcript) []string {
	source := t.Source
	name := p.relative(source.AudioPath)
	name = strings.TrimSuffix(name, filepath.Ext(name))
	if source.Offset > 0 {
		name += fmt.Sprintf(".%d-%d", source.Offset.Milliseconds(), (source.Offset + t.Duration).Milliseconds())
	}
	if p.owners == nil {
		p.owners = make(map[string]string)
	}
	owner := fmt.Sprint(source.AudioPath, source.Offset, source.Duration)
	key := strings.ToLower(name) // names that differ only in case are one file on Windows and macOS
	if p.owners[key] == "" {
		p.owners[key] = owner
	}
	own := name + "-" + t.ID
	if p.owners[key] != owner {
		return []string{own}
	}
	return []string{name, own}
}

// relative gives a recording's path below the input folder that it came from,
// or its bare name.
func (p *publisher) relative(path string) string {
	for _, folder := range p.folders {
		if rel, err := filepath.Rel(folder, path); err == nil && rel != "." && filepath.IsLocal(rel) {
			return rel
		}
	}
	return filepath.Base(path)
}
