package manifest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/go-multierror"

	"github.com/holdfast-go/holdfast/internal/jsonl"
	"github.com/holdfast-go/holdfast/retry"
)

const (
	mostErrors  = 100 // kept by Load: a wrong file would fill the memory
	shownErrors = 5
)

// Load reads a whole manifest; the file is closed when it returns. For a
// sharded name (see [ShardNames]) it reads all shards, in order.
//
// Lines that cannot be read do not keep it from returning the others: then
// there are entries and an error, in which errors.As finds the first
// [*LineError]; its Unwrap leads to the others, of which 100 are kept. After
// any other failure there are no entries.
//
// Relative paths become absolute, see Options.BaseDir. An entry without "text"
// but with "text_filepath" gets its text from that file, as in NeMo also where
// it has a "normalized_text".
func Load(ctx context.Context, path string, o Options) ([]Entry, error) {
	names := []string{path}
	if _, err := o.FS.Stat(ctx, path); errors.Is(err, fs.ErrNotExist) {
		if names, err = ShardNames(path); err != nil {
			return nil, err
		}
	}
	var entries []Entry
	var bad lineErrors
	for _, name := range names {
		var err error
		if entries, err = load(ctx, name, o, entries, &bad); err != nil {
			return nil, err
		}
	}
	return entries, bad.errorOrNil()
}

func load(ctx context.Context, path string, o Options, entries []Entry, bad *lineErrors) ([]Entry, error) {
	f, err := o.FS.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only: nothing can be lost
	base := o.BaseDir
	if base == "" {
		if base, err = filepath.Abs(filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	paths := resolver{base: base}
	finish := func(e *Entry) error {
		e.AudioPath = paths.resolve(e.AudioPath)
		return e.loadText(ctx, o.FS, paths)
	}
	for e, err := range read(f, path, o.maxLine(), finish) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if line, ok := errors.AsType[*LineError](err); ok {
			bad.add(line)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// loadText reads the file that holds the text. It comes after "text" and before
// "normalized_text" (NeMo 3.0, collections/common/parts/preprocessing/
// manifest.py, __parse_item: if 'text' … elif 'text_filepath' … elif
// 'normalized_text').
func (e *Entry) loadText(ctx context.Context, files retry.FS, paths resolver) error {
	const field = "text_filepath"
	if !strings.Contains(e.Extra.line, field) {
		return nil
	}
	raw, ok := e.Extra.Get(field)
	if !ok || string(raw) == "null" {
		return nil
	}
	if e.Extra.known[text].start != 0 && e.Extra.nameAt(text) == knownNames[text] {
		return nil
	}
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return fmt.Errorf("%q is %s, not a string", field, kindOf(string(raw)))
	}
	data, err := files.ReadFile(ctx, paths.resolve(name))
	if err != nil {
		return err
	}
	if !utf8.Valid(data) {
		return fmt.Errorf("%s: the text is not UTF-8: save it as UTF-8", name)
	}
	lines := strings.ReplaceAll(strings.TrimPrefix(string(data), "\ufeff"), "\r\n", "\n")
	e.Text = strings.ReplaceAll(lines, "\n", "")
	if e.Extra.known[text].start == 0 {
		return nil
	}
	// Else the "normalized_text" would be what is replaced when it is written.
	return e.Extra.replace(appendField([]byte(e.Extra.line), knownNames[text], jsonl.AppendQuoted(nil, e.Text)))
}

// lineErrors collects what Load could not read.
type lineErrors struct {
	kept *multierror.Error
	n    int
}

func (l *lineErrors) add(err *LineError) {
	if l.n++; l.n <= mostErrors {
		l.kept = multierror.Append(l.kept, err)
	}
}

func (l *lineErrors) errorOrNil() error {
	if l.kept == nil {
		return nil
	}
	l.kept.ErrorFormat = func(errs []error) string {
		var s strings.Builder
		fmt.Fprintf(&s, "manifest: %d lines cannot be read", l.n)
		for _, err := range errs[:min(len(errs), shownErrors)] {
			s.WriteString("\n\t" + err.Error())
		}
		if more := l.n - shownErrors; more > 0 {
			fmt.Fprintf(&s, "\n\tand %d more", more)
		}
		return s.String()
	}
	return l.kept.ErrorOrNil()
}
