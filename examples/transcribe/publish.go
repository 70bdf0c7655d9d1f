package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/subtitle"
	"github.com/holdfast-go/holdfast/retry"
)

// publisher writes transcripts into the output folder, each file whole or not
// at all.
type publisher struct {
	files   retry.FS
	out     string
	formats []subtitle.Format
	folders []string          // inputs; the order below a folder is kept in the output
	names   map[string]string // lower-cased output name, and whose it is
	tidied  map[string]bool   // folders in which an earlier run left nothing
}

// write publishes one transcript in every format. A file that has its content
// already, from an earlier run, is left as it is.
func (p *publisher) write(ctx context.Context, t asr.Transcript) error {
	name := p.name(t)
	for _, format := range p.formats {
		var b bytes.Buffer
		path := filepath.Join(p.out, name+"."+string(format))
		err := subtitle.Write(&b, format, t)
		if err == nil {
			err = p.publish(ctx, path, b.Bytes())
		}
		if err != nil {
			return &asr.UtteranceError{ID: t.ID, Path: t.Source.AudioPath,
				Err: fmt.Errorf("its transcript is in the journal, but %s could not be written: %w", path, err)}
		}
	}
	return nil
}

func (p *publisher) publish(ctx context.Context, path string, data []byte) error {
	old, err := p.files.ReadFile(ctx, path)
	if err == nil && bytes.Equal(old, data) {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		if err := p.files.MkdirAll(ctx, filepath.Dir(path)); err != nil {
			return err
		}
	}
	if err := p.tidy(ctx, filepath.Dir(path)); err != nil {
		return err
	}
	return p.files.WriteFile(ctx, path, data)
}

// tidy removes what a killed run was just writing in a folder. The journal's
// lock says that no other run is at work here.
func (p *publisher) tidy(ctx context.Context, dir string) error {
	if p.tidied[dir] {
		return nil
	}
	if p.tidied == nil {
		p.tidied = make(map[string]bool)
	}
	p.tidied[dir] = true
	return p.files.RemoveAbandoned(ctx, dir, 0)
}

// name gives the output's name without extension: that of the recording, and
// for a stretch of one its place in it. When another recording has that name,
// the transcript's id tells them apart.
func (p *publisher) name(t asr.Transcript) string {
	source := t.Source
	name := p.relative(source.AudioPath)
	name = strings.TrimSuffix(name, filepath.Ext(name))
	if source.Offset > 0 {
		name += fmt.Sprintf(".%d-%d", source.Offset.Milliseconds(), (source.Offset + t.Duration).Milliseconds())
	}
	if p.names == nil {
		p.names = make(map[string]string)
	}
	whose := fmt.Sprint(source.AudioPath, source.Offset, source.Duration)
	key := strings.ToLower(name) // names that differ only in case are one file on Windows and macOS
	if owner, taken := p.names[key]; taken && owner != whose {
		return name + "-" + t.ID
	}
	p.names[key] = whose
	return name
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
