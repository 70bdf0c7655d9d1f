package main

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/retry"
)

// How a watched folder is looked at.
const (
	settleTime = 2 * time.Second        // a recording that is still for that long is complete
	lookSoon   = 250 * time.Millisecond // while something is going on
	lookOften  = 2 * time.Second        // otherwise,
	lookSeldom = 30 * time.Second       // and at least: a look into a large folder takes its time
	heldLong   = 10 * time.Second       // then somebody is told who keeps a recording
)

// watcher finds complete recordings in a folder and below it, by looking. The
// system's events only make it look at once: they come for the folder itself and
// not for those below it, since on Windows nobody could rename those any more,
// they come before a file is complete, and from a network share not at all.
type watcher struct {
	dir     string
	fs      retry.FS // makes one try
	held    func(error)
	events  *fsnotify.Watcher // nil: there are none
	changed chan struct{}
	took    time.Duration // how long the last look took
	lost    bool          // it was told that something cannot be looked at

	taken   map[string]stamp
	pending map[string]candidate
}

// stamp tells one state of a file from a later one.
type stamp struct {
	size    int64
	changed time.Time
}

// candidate is a recording that may not be complete.
type candidate struct {
	stamp
	since time.Time // when it was first seen so
	told  bool      // that somebody holds it
}

// watch begins to watch a folder. held is told of a recording that another
// program keeps for long, and of a folder that cannot be looked at.
func watch(dir string, files retry.FS, held func(error)) (*watcher, error) {
	files.Policy.Budget = -1
	w := &watcher{dir: dir, fs: files, held: held, changed: make(chan struct{}, 1),
		taken: map[string]stamp{}, pending: map[string]candidate{}}
	info, err := files.Stat(context.Background(), dir)
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, &fs.PathError{Op: "watch", Path: dir, Err: errors.New("it is not a folder")}
	}
	if w.events, err = fsnotify.NewWatcher(); err != nil {
		w.events = nil
		return w, nil // looking has to do
	}
	if err := w.events.Add(dir); err != nil {
		w.close()
		w.events = nil
		return w, nil
	}
	go w.listen(w.events)
	return w, nil
}

func (w *watcher) close() {
	if w.events != nil {
		w.events.Close()
	}
}

// listen turns events into one hint. An overflow of the system's queue is a
// hint too.
func (w *watcher) listen(events *fsnotify.Watcher) {
	for {
		select {
		case _, more := <-events.Events:
			if !more {
				return
			}
		case _, more := <-events.Errors:
			if !more {
				return
			}
		}
		select {
		case w.changed <- struct{}{}:
		default: // it is known already
		}
	}
}

// next waits for recordings that are complete, and gives them in the order of
// their names. It gives none once ctx has ended.
func (w *watcher) next(ctx context.Context) []string {
	for ctx.Err() == nil {
		if ready := w.look(ctx, time.Now()); len(ready) > 0 {
			return ready
		}
		wait := min(max(lookOften, 100*w.took), lookSeldom)
		if len(w.pending) > 0 {
			wait = max(lookSoon, 4*w.took)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-w.changed:
			settle(ctx, lookSoon) // one look for many events
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return nil
}

// settle lets a flood of events pass.
func settle(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// look goes through the folder once.
func (w *watcher) look(ctx context.Context, now time.Time) (ready []string) {
	began := time.Now()
	defer func() { w.took = time.Since(began) }()
	seen := map[string]bool{}
	var lost error
	for entry, err := range asr.Files(ctx, w.dir) {
		if err != nil {
			if !errors.Is(err, asr.ErrBadAudio) { // else it has no recording yet
				lost = err
			}
			continue
		}
		path := entry.AudioPath
		seen[path] = true
		info, err := w.fs.Stat(ctx, path)
		if err != nil {
			continue
		}
		is := stamp{info.Size(), info.ModTime()}
		if w.taken[path] == is {
			continue
		}
		c, known := w.pending[path]
		if !known || c.stamp != is {
			w.pending[path] = candidate{stamp: is, since: now}
			continue
		}
		if now.Sub(c.since) < settleTime || is.size == 0 { // many programs make a file long before they fill it
			continue
		}
		if err := w.open(ctx, path); err != nil {
			if !c.told && now.Sub(c.since) >= heldLong {
				c.told = true
				w.pending[path] = c
				w.held(err)
			}
			continue
		}
		delete(w.pending, path)
		w.taken[path] = is
		ready = append(ready, path)
	}
	if ctx.Err() != nil {
		return nil
	}
	if lost != nil && !w.lost {
		w.held(lost)
	}
	if w.lost = lost != nil; w.lost {
		return ready // a share that has gone for a while: nothing is forgotten
	}
	maps.DeleteFunc(w.taken, func(path string, _ stamp) bool { return !seen[path] })
	maps.DeleteFunc(w.pending, func(path string, _ candidate) bool { return !seen[path] })
	return ready
}

// open finds out whether somebody still writes the recording: on Windows it
// cannot be opened then.
func (w *watcher) open(ctx context.Context, path string) error {
	f, err := w.fs.Open(ctx, path)
	if err != nil {
		return err
	}
	return f.Close()
}
