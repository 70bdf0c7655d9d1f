package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// run works in the storm until its end, and then looks whether everything is there.
func run(ctx context.Context, o options) (r *report, err error) {
	plain := retry.FS{}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "lockstorm-"); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, plain.RemoveAll(context.WithoutCancel(ctx), o.dir)) }()
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return nil, err
	}
	if err := plain.MkdirAll(ctx, o.dir); err != nil {
		return nil, err
	}
	if there, err := plain.ReadDir(ctx, o.dir); err != nil || len(there) > 0 {
		return nil, cmp.Or(err, fmt.Errorf("the folder %s is not empty: what is in it would be written over; name a new one", o.dir))
	}
	w := &worker{dir: o.dir, report: &report{}, done: make(map[string]string)}
	for _, sub := range []string{"saved", "replaced", "recordings", "transcripts"} {
		if err := plain.MkdirAll(ctx, filepath.Join(o.dir, sub)); err != nil {
			return nil, err
		}
	}
	files, end, err := storm(ctx, o)
	if err != nil {
		return nil, err
	}
	w.files = w.report.watch(files)
	if w.root, err = tempdir.Open(ctx, w.path("root"), tempdir.Options{FS: w.files}); err == nil {
		w.journal, err = manifest.OpenJournal(ctx, w.path("journal.jsonl"), manifest.Options{FS: w.files})
	}
	if err != nil {
		_, endErr := end()
		return nil, errors.Join(err, endErr)
	}

	began := time.Now()
	limit, cancel := context.WithTimeout(ctx, o.length)
	defer cancel()
	ctx = context.WithoutCancel(ctx) // what was begun is ended
	var all sync.WaitGroup
	for _, work := range []func(ctx context.Context, turn int) error{w.save, w.replace, w.transcribe} {
		all.Go(func() {
			for turn := 0; limit.Err() == nil; turn++ {
				w.report.add(work(ctx, turn))
			}
		})
	}
	all.Go(func() { w.read(limit) })
	all.Wait()
	w.report.duration = time.Since(began)
	if w.report.held, err = end(); err != nil {
		return nil, err
	}
	if err := w.journal.Close(); err != nil {
		return nil, err
	}
	return w.report, w.check(ctx)
}

type worker struct {
	dir     string
	files   retry.FS
	root    *tempdir.Root
	journal *manifest.Journal
	report  *report

	mu   sync.Mutex
	done map[string]string // acknowledged: the name of a recording and its transcript
}

func (w *worker) path(elem ...string) string {
	return filepath.Join(append([]string{w.dir}, elem...)...)
}

// save overwrites one file again and again.
func (w *worker) save(ctx context.Context, turn int) error {
	return w.files.WriteFile(ctx, w.path("saved", "manifest.json"), pattern(turn))
}

// replace makes a file under another name and renames it.
func (w *worker) replace(ctx context.Context, turn int) error {
	from := w.path("replaced", "next")
	f, err := w.files.Create(ctx, from)
	if err != nil {
		return err
	}
	_, err = f.Write(pattern(turn))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return w.files.Replace(ctx, from, w.path("replaced", "current"))
}

// transcribe sends a recording through the whole library: staged, transcribed, journaled, published.
func (w *worker) transcribe(ctx context.Context, turn int) error {
	name := fmt.Sprintf("recording-%04d", turn)
	source := w.path("recordings", name+".wav")
	if err := w.files.WriteFile(ctx, source, recording(pattern(turn))); err != nil {
		return err
	}
	in := asr.Files(ctx, source)
	for t, err := range asr.Stream(ctx, engine{w.files}, in, asr.Options{Root: w.root, Journal: w.journal, FS: w.files}) {
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.done[name] = t.Text // from here on it is promised
		w.mu.Unlock()
		if err := w.files.WriteFile(ctx, w.path("transcripts", name+".txt"), []byte(t.Text)); err != nil {
			return err
		}
	}
	return nil
}

// read looks at the files that change all the time: they are there, and whole.
func (w *worker) read(ctx context.Context) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	started := make(map[string]bool)
	for {
		for _, name := range []string{w.path("saved", "manifest.json"), w.path("replaced", "current")} {
			once := retry.FS{Policy: retry.Policy{Budget: -1}, Intercept: w.files.Intercept}
			data, err := once.ReadFile(ctx, name)
			switch {
			case err == nil:
				started[name] = true
				if len(data) != len(pattern(0)) || !bytes.Equal(data, bytes.Repeat(data[:64], len(data)/64)) {
					w.report.torn++
				}
			case errors.Is(err, fs.ErrNotExist) && started[name]:
				w.report.torn++
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// check counts the promised results that are not there, as the next process would see it.
func (w *worker) check(ctx context.Context) error {
	plain := retry.FS{}
	journal, err := manifest.OpenJournal(ctx, w.path("journal.jsonl"), manifest.Options{})
	if err != nil {
		return err
	}
	defer journal.Close()
	kept := make(map[string]string)
	for _, e := range journal.All() {
		kept[strings.TrimSuffix(filepath.Base(e.AudioPath), ".wav")] = e.PredText
	}
	for name, text := range w.done {
		w.report.results++
		published, err := plain.ReadFile(ctx, w.path("transcripts", name+".txt"))
		if err != nil || string(published) != text || kept[name] != text {
			w.report.lost++
		}
	}
	return nil
}

// pattern is 4 KiB that show when they are torn.
func pattern(turn int) []byte {
	return bytes.Repeat([]byte(fmt.Sprintf("%08d %s\n", turn, strings.Repeat("x", 54))), 64)
}
