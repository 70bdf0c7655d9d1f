package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/retry"
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
	w := &worker{dir: o.dir, report: &report{}, done: make(map[string]string)}
	for _, sub := range []string{"saved", "replaced", "recordings", "scratch", "transcripts"} {
		if err := plain.MkdirAll(ctx, filepath.Join(o.dir, sub)); err != nil {
			return nil, err
		}
	}
	files, end, err := storm(ctx, o)
	if err != nil {
		return nil, err
	}
	w.files = w.report.watch(files)

	began := time.Now()
	limit, cancel := context.WithTimeout(ctx, o.length)
	defer cancel()
	var all sync.WaitGroup
	for _, work := range []func(ctx context.Context, turn int) error{w.save, w.replace, w.transcribe} {
		all.Go(func() {
			for turn := 0; limit.Err() == nil; turn++ {
				w.report.add(work(ctx, turn)) // not with the limit: what was begun is ended
			}
		})
	}
	all.Go(func() { w.read(limit) })
	all.Wait()
	w.report.duration = time.Since(began)
	if w.report.held, err = end(); err != nil {
		return nil, err
	}
	w.check(context.WithoutCancel(ctx))
	return w.report, nil
}

type worker struct {
	dir    string
	files  retry.FS
	report *report

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

// transcribe takes a recording the way of the library: copy it in, have the engine make a text, keep that in the
// journal, publish it, clean up. The engine is a hash, since it is the files that are on trial.
func (w *worker) transcribe(ctx context.Context, turn int) error {
	name := fmt.Sprintf("recording-%04d", turn)
	source, scope := w.path("recordings", name+".wav"), w.path("scratch", name)
	if err := w.files.WriteFile(ctx, source, pattern(turn)); err != nil {
		return err
	}
	if err := w.files.MkdirAll(ctx, scope); err != nil {
		return err
	}
	staged := filepath.Join(scope, "staged.wav")
	if err := w.stage(ctx, source, staged); err != nil {
		return err
	}
	audio, err := w.files.ReadFile(ctx, staged)
	if err != nil {
		return err
	}
	text := engine(audio)
	if err := w.journal(ctx, name+" "+text+"\n"); err != nil {
		return err
	}
	w.mu.Lock()
	w.done[name] = text // from here on it is promised
	w.mu.Unlock()
	if err := w.files.WriteFile(ctx, w.path("transcripts", name+".txt"), []byte(text)); err != nil {
		return err
	}
	return w.files.RemoveAll(ctx, scope)
}

func engine(audio []byte) string { return fmt.Sprintf("%x", sha256.Sum256(audio)) }

func (w *worker) stage(ctx context.Context, from, to string) error {
	src, err := w.files.Open(ctx, from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := w.files.Create(ctx, to)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}

func (w *worker) journal(ctx context.Context, line string) error {
	f, err := w.files.OpenAppend(ctx, w.path("journal"))
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, line)
	return errors.Join(err, f.Sync(), f.Close())
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

// check counts the promised results that are not there.
func (w *worker) check(ctx context.Context) {
	plain := retry.FS{}
	journal, err := plain.ReadFile(ctx, w.path("journal"))
	if len(w.done) > 0 {
		w.report.add(err)
	}
	for name, text := range w.done {
		w.report.results++
		published, err := plain.ReadFile(ctx, w.path("transcripts", name+".txt"))
		if err != nil || string(published) != text || !strings.Contains(string(journal), name+" "+text+"\n") {
			w.report.lost++
		}
	}
}

// pattern is 4 KiB that show when they are torn.
func pattern(turn int) []byte {
	return bytes.Repeat([]byte(fmt.Sprintf("%08d %s\n", turn, strings.Repeat("x", 54))), 64)
}
