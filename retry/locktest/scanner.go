package locktest

import (
	"context"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Scanner opens the files in a folder, as virus scanners, indexers and sync clients do. The zero value looks every
// millisecond, and whenever a name in a folder has come or gone it opens each file in it that it does not have open,
// with ShareNone, for 5 to 500 ms.
type Scanner struct {
	Share    Share
	Min, Max time.Duration // of a hold, at random; Max 0: 5 ms and 500 ms
	Every    time.Duration // how often it looks; 0: 1 ms
	Once     bool          // only new names are opened
	Again    bool          // each file is opened again as soon as it was released
}

// Run scans with real handles until the context ends, and gives the number of files that it held. Let another process
// do it: on Windows the handles refuse others what Share says, elsewhere they refuse nothing.
func (s Scanner) Run(ctx context.Context, dir string) int {
	return s.scan(ctx, dir, func(path string) (func(), error) {
		h, err := openShared(path, s.Share)
		if err != nil {
			return nil, err
		}
		return func() { _ = h.Close() }, nil
	})
}

// Scan lets a scanner loose on the simulated directory until the context ends, and gives the number of files that it
// held.
func (s *Sim) Scan(ctx context.Context, scanner Scanner) int {
	return scanner.scan(ctx, s.dir, func(path string) (func(), error) {
		h := &handle{path: s.abs(path), access: ShareRead, share: scanner.Share}
		if err := s.take(h); err != nil {
			return nil, err
		}
		return func() { s.release(h) }, nil
	})
}

// scan is the loop of both, over a way to open.
func (s Scanner) scan(ctx context.Context, dir string, open func(path string) (release func(), err error)) (held int) {
	var (
		mu      sync.Mutex
		busy    = make(map[string]bool) // held now
		due     = make(map[string]bool) // to be opened when it can be
		last    = make(map[string][]string)
		holding sync.WaitGroup
	)
	tick := time.NewTicker(s.every())
	defer tick.Stop()
	defer holding.Wait()
	for ctx.Err() == nil {
		folders := list(dir)
		for folder, files := range folders {
			before := last[folder]
			changed := !slices.Equal(files, before)
			for _, path := range files {
				mu.Lock()
				if !busy[path] && (s.Again || changed && !(s.Once && slices.Contains(before, path))) {
					due[path] = true
				}
				wanted := due[path] && !busy[path]
				mu.Unlock()
				if !wanted {
					continue
				}
				release, err := open(path)
				if err != nil {
					continue // somebody has it open; the next look tries again
				}
				held++
				mu.Lock()
				delete(due, path)
				busy[path] = true
				mu.Unlock()
				holding.Go(func() {
					wait(ctx, s.hold())
					release()
					mu.Lock()
					defer mu.Unlock()
					delete(busy, path)
				})
			}
		}
		last = folders
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return held
}

// list gives the files in a folder and in those below it, by folder and in their order.
func list(dir string) map[string][]string {
	folders := make(map[string][]string)
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			folder := filepath.Dir(path)
			folders[folder] = append(folders[folder], path)
		}
		return nil // what cannot be seen cannot be held
	})
	return folders
}

func (s Scanner) every() time.Duration {
	if s.Every <= 0 {
		return time.Millisecond
	}
	return s.Every
}

func (s Scanner) hold() time.Duration {
	lo, hi := s.Min, s.Max
	if hi == 0 {
		lo, hi = 5*time.Millisecond, 500*time.Millisecond
	}
	return lo + rand.N(max(0, hi-lo)+1)
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
