package main

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// board is the list of jobs, and tells pages when to look at it again.
type board struct {
	mu    sync.Mutex
	jobs  map[string]*job
	dirty chan struct{} // closed at the next change
}

func newBoard() *board {
	return &board{jobs: make(map[string]*job), dirty: make(chan struct{})}
}

// change does f with the list to itself, and wakes whoever waits.
func (b *board) change(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	close(b.dirty)
	b.dirty = make(chan struct{})
}

// changed is closed when anything changes after the call.
func (b *board) changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dirty
}

func (b *board) wake() { b.change(func() {}) }

// get gives a job to its owner; to anybody else it is not there.
func (b *board) get(owner, id string) (*job, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	j, ok := b.jobs[id]
	return j, ok && j.Owner == owner
}

func (b *board) record(j *job) record {
	b.mu.Lock()
	defer b.mu.Unlock()
	return j.record
}

func (b *board) count(owner string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, j := range b.jobs {
		if j.Owner == owner {
			n++
		}
	}
	return n
}

// list is all that an owner has, the newest first; of files that were dropped
// together, the first.
func (b *board) list(owner string, places map[*task]int) []view {
	b.mu.Lock()
	defer b.mu.Unlock()
	views := []view{}
	for _, j := range b.jobs {
		if j.Owner == owner {
			views = append(views, j.view(places))
		}
	}
	slices.SortFunc(views, func(x, y view) int {
		return cmp.Or(cmp.Compare(y.Order, x.Order), strings.Compare(x.ID, y.ID))
	})
	return views
}

func (j *job) view(places map[*task]int) view {
	v := view{
		ID: j.ID, Name: j.Name, Size: j.Size, Ref: j.ref, Order: j.Order, Created: j.Created.UnixMilli(), State: j.State, Place: places[j.task],
		Length: j.Length, Language: j.Language, Elapsed: j.Elapsed, Words: j.Words, Error: j.Error,
	}
	if j.State == working {
		v.Heard = j.heard.Seconds()
		v.Started = j.started.UnixMilli()
	}
	return v
}
