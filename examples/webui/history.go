package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
)

// history is what pages were shown of a job's transcript, in a journal of the
// job's own: an event is on disk before any page gets it, and its number is
// the id by which a page asks for what it has missed.
//
// One event holds all segments that came while the one before was written. So
// a slow disk makes events larger, not the engine slower.
type history struct {
	fs   retry.FS
	path string

	mu      sync.Mutex
	users   int // viewers and the worker; without any, nothing is in memory
	events  []event
	journal *manifest.Journal // open while the job is worked on
}

// event changes the transcript that a page shows.
type event struct {
	Seq      int           // from 1
	Replace  bool          // the segments take the place of all before; else they are added
	Segments []asr.Segment // maxSegments at most
}

// maxSegments keeps events, and what a page has to do for one, small.
const maxSegments = 500

const (
	segmentsField = "segments"
	replaceField  = "replace"
)

// use loads the events; done lets them go.
func (h *history) use(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users == 0 {
		journal, err := h.load(ctx)
		if err == nil {
			err = journal.Close()
		}
		if err != nil {
			return err
		}
	}
	h.users++
	return nil
}

func (h *history) done() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users--; h.users == 0 {
		h.events = nil
	}
}

func (h *history) load(ctx context.Context) (*manifest.Journal, error) {
	journal, err := manifest.OpenJournal(ctx, h.path, manifest.Options{FS: h.fs})
	if err != nil {
		return nil, err
	}
	h.events = nil
	for key, entry := range journal.All() {
		e, err := readEvent(key, entry)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", h.path, err), journal.Close())
		}
		h.events = append(h.events, e)
	}
	return journal, nil
}

// open makes the history ready for add; close ends that.
func (h *history) open(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	journal, err := h.load(ctx)
	if err != nil {
		return err
	}
	h.journal = journal
	h.users++
	return nil
}

func (h *history) close() error {
	h.mu.Lock()
	journal := h.journal
	h.journal = nil
	h.mu.Unlock()
	h.done()
	return journal.Close()
}

// add makes segments durable and then visible. There is one caller at a time.
func (h *history) add(ctx context.Context, replace bool, segments []asr.Segment) error {
	for first := true; first && replace || len(segments) > 0; first = false {
		n := min(len(segments), maxSegments)
		e := event{Seq: h.last() + 1, Replace: replace && first, Segments: segments[:n:n]}
		segments = segments[n:]
		entry, err := e.entry()
		if err != nil {
			return err
		}
		if err := h.journal.Append(ctx, strconv.Itoa(e.Seq), entry); err != nil {
			return err
		}
		h.mu.Lock()
		h.events = append(h.events, e)
		h.mu.Unlock()
	}
	return nil
}

// after gives the events with a number above seq.
func (h *history) after(seq int) []event {
	h.mu.Lock()
	defer h.mu.Unlock()
	seq = max(0, min(seq, len(h.events)))
	return h.events[seq:len(h.events):len(h.events)]
}

func (h *history) last() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.events)
}

// shown is the transcript as a page has it that got every event.
func (h *history) shown() (segments []asr.Segment) {
	for _, e := range h.after(0) {
		if e.Replace {
			segments = nil
		}
		segments = append(segments, e.Segments...)
	}
	return segments
}

func (e event) entry() (manifest.Entry, error) {
	var entry manifest.Entry
	segments := e.Segments
	if segments == nil {
		segments = []asr.Segment{}
	}
	err := entry.Extra.Set(segmentsField, segments)
	if err == nil && e.Replace {
		err = entry.Extra.Set(replaceField, true)
	}
	return entry, err
}

func readEvent(key string, entry manifest.Entry) (e event, err error) {
	if e.Seq, err = strconv.Atoi(key); err != nil {
		return e, err
	}
	raw, _ := entry.Extra.Get(segmentsField)
	if err := json.Unmarshal(raw, &e.Segments); err != nil {
		return e, fmt.Errorf("event %s: %w", key, err)
	}
	_, e.Replace = entry.Extra.Get(replaceField)
	return e, nil
}
