package asr

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/audio"
	"github.com/holdfast-go/holdfast/manifest"
)

// long is a recording that is transcribed in parts. Each part that is done lies
// in a journal of the recording's own below the root, so that a crash costs the
// part that was being transcribed; the whole goes into the run's journal.
type long struct {
	task
	starts  []time.Duration   // of the parts, from the utterance's beginning
	journal *manifest.Journal // nil: another run has it
	path    string            // of the journal

	mu     sync.Mutex
	parts  []Transcript
	open   int
	failed *UtteranceError // the first
}

// cut puts the parts of a long recording into the next batches.
func (f *feeder) cut(ctx context.Context, t task, stretch audio.Info) error {
	starts, err := f.quiet(ctx, stretch)
	if err != nil {
		return err
	}
	l := &long{task: t, starts: starts, parts: make([]Transcript, len(starts)), open: len(starts)}
	if err := f.openParts(ctx, l); err != nil {
		return err
	}
	f.busy.begin(t.key)
	for i, start := range starts {
		end := stretch.Duration
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		if err := f.part(ctx, l, i, stretch.Slice(start, end-start)); err != nil {
			if ctx.Err() != nil {
				return err
			}
			f.settlePart(ctx, l, i, Transcript{}, &UtteranceError{ID: t.ID, Path: t.Source.AudioPath, Err: err})
		}
	}
	return nil
}

// quiet finds where the parts of a stretch of the current source begin.
func (f *feeder) quiet(ctx context.Context, stretch audio.Info) ([]time.Duration, error) {
	in, err := f.opts.FS.Open(ctx, f.source.staged)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	cuts, err := audio.Cuts(in, stretch, f.opts.MaxAudio)
	return append([]time.Duration{0}, cuts...), err
}

// part puts one part into the next batch, or settles it from its journal.
func (f *feeder) part(ctx context.Context, l *long, i int, stretch audio.Info) error {
	source := l.Source
	source.Offset += l.starts[i]
	source.Duration = stretch.Duration
	t := f.task(source)
	t.Source, t.Duration, t.of, t.part = source, stretch.Duration, l, i
	if l.journal != nil {
		if known, ok := f.lookup(l.journal, t); ok {
			f.watch.known(t.Duration)
			f.settlePart(ctx, l, i, known, nil)
			return nil
		}
	}
	var err error
	if t.Path, err = f.convert(ctx, stretch); err != nil {
		return err
	}
	f.add(ctx, t)
	return nil
}

func (f *feeder) settlePart(ctx context.Context, l *long, i int, t Transcript, failed *UtteranceError) {
	if l.settle(i, t, failed) {
		if o, ok := f.join(ctx, l); ok {
			f.pass(ctx, o)
		}
	}
}

// settle takes what became of a part and tells whether it was the last one.
func (l *long) settle(i int, t Transcript, failed *UtteranceError) (last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parts[i] = t
	if l.failed == nil {
		l.failed = failed
	}
	l.open--
	return l.open == 0
}

// join makes one transcript of all parts and journals it, or says that a part
// has failed; then the others are kept for the next run. It gives nothing if the
// run ends over it.
func (r *runner) join(ctx context.Context, l *long) (outcome, bool) {
	if l.failed != nil {
		l.failed.ID = l.ID // not the part's
		r.long.end(l)
		r.busy.end(l.key)
		return outcome{failed: l.failed}, true
	}
	whole := l.join()
	entry, err := whole.Entry(r.about)
	if err == nil {
		err = r.keep(ctx, r.opts.Journal, l.task, entry)
	}
	if err != nil {
		r.stop(err)
		return outcome{}, false
	}
	r.long.end(l)
	r.removeParts(l)
	r.busy.end(l.key)
	return outcome{transcript: whole}, true
}

// join shifts the times of the parts back to where they are in the recording.
func (l *long) join() Transcript {
	whole := Transcript{ID: l.ID, Source: l.Source, Duration: l.Duration, Resumed: true}
	var texts []string
	for i, part := range l.parts {
		by := l.starts[i]
		for _, s := range part.Segments {
			s.Start, s.End = s.Start+by, s.End+by
			whole.Segments = append(whole.Segments, s)
		}
		if part.Words != nil && whole.Words == nil {
			whole.Words = []Word{}
		}
		for _, w := range part.Words {
			w.Start, w.End = w.Start+by, w.End+by
			whole.Words = append(whole.Words, w)
		}
		if part.Text != "" {
			texts = append(texts, part.Text)
		}
		if whole.Language == "" {
			whole.Language = part.Language
		}
		whole.Elapsed += part.Elapsed
		whole.Resumed = whole.Resumed && part.Resumed
	}
	whole.Text = strings.Join(texts, space(whole.Language))
	return whole
}

// space is what stands between sentences.
func space(language string) string {
	if slices.Contains([]string{"zh", "ja", "th", "lo", "my", "yue"}, language) {
		return ""
	}
	return " "
}

// partsName is the folder below the root's cache that holds the journals of
// parts.
const partsName = "parts"

// openParts opens the journal of a recording's parts. Its name is of the run's
// journal too: whoever has that one open has this one to itself, but for a
// second run of the same program over the same recording, which goes without.
func (f *feeder) openParts(ctx context.Context, l *long) error {
	dir, err := f.opts.Root.Cache(ctx, partsName)
	if err != nil {
		return err
	}
	name := sha256.Sum256([]byte(f.opts.Journal.Path() + "\n" + l.key))
	l.path = filepath.Join(dir, hex.EncodeToString(name[:16])+".jsonl")
	l.journal, err = manifest.OpenJournal(ctx, l.path, manifest.Options{FS: f.opts.FS})
	if errors.Is(err, manifest.ErrInUse) {
		f.log.Warn("parts are not kept", "path", l.Source.AudioPath, "err", err)
		return nil
	}
	if err == nil {
		f.long.begin(l)
	}
	return err
}

// partsAge is after how long the parts of a recording that nobody came back to
// are removed.
const partsAge = 30 * 24 * time.Hour

func (r *runner) sweepParts(ctx context.Context) {
	dir, err := r.opts.Root.Cache(ctx, partsName)
	if err != nil {
		return
	}
	files, err := r.opts.FS.ReadDir(ctx, dir)
	if err != nil {
		return
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil && time.Since(info.ModTime()) > partsAge {
			r.discard(filepath.Join(dir, f.Name()))
		}
	}
}

// removeParts removes the journal of parts once the whole is kept.
func (r *runner) removeParts(l *long) {
	if l.journal == nil {
		return
	}
	r.discard(l.path)
	r.discard(l.path + ".lock")
}

// longs are the journals of parts that are open.
type longs struct {
	mu   sync.Mutex
	open map[*long]bool
}

func (o *longs) begin(l *long) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.open == nil {
		o.open = make(map[*long]bool)
	}
	o.open[l] = true
}

// end closes one; everything in it is on disk already.
func (o *longs) end(l *long) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.open[l] {
		l.journal.Close()
		delete(o.open, l)
	}
}

func (o *longs) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for l := range o.open {
		l.journal.Close()
	}
}
