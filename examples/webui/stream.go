package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/asr"
)

// getEvents tells a page of its jobs as they change.
func (s *server) getEvents(w http.ResponseWriter, r *http.Request, owner string) {
	s.stream(w, r, owner, nil)
}

// getJobEvents tells the same, and one job's transcript as it grows: one
// stream for a page, because a browser has six connections for a server.
//
// A transcript's events carry their number in the job's history as their id.
// They begin after Last-Event-ID, which a browser sends when it connects again,
// or after ?after=, which a page uses that has some already.
func (s *server) getJobEvents(w http.ResponseWriter, r *http.Request, j *job) {
	if err := j.history.use(r.Context()); err != nil {
		s.log.Error("job's history", "job", j.ID, "err", err)
		refuse(w, r, http.StatusInternalServerError, "the transcript cannot be read: %v", err)
		return
	}
	defer j.history.done()
	s.stream(w, r, j.Owner, j)
}

func (s *server) stream(w http.ResponseWriter, r *http.Request, owner string, j *job) {
	give, ok := s.streams.take()
	if !ok {
		w.Header().Set("Retry-After", "5")
		refuse(w, r, http.StatusServiceUnavailable, "too many pages are open")
		return
	}
	defer give()
	after, err := position(r)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, "%v", err)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	out := &events{pacedWriter: s.pacedWriter(w), sent: map[string]string{}}
	fmt.Fprint(out, "retry: 1000\n\n")
	beat := time.NewTicker(s.Limits.heartbeat) // for proxies, and to notice that the page is gone
	defer beat.Stop()
	for {
		changed := s.board.changed()
		out.jobs(s.board.list(owner, s.queue.places()))
		if j != nil {
			for _, e := range j.history.after(after) {
				out.event("segments", e.Seq, segmentsEvent{e.Replace, e.Segments})
				after = e.Seq
			}
		}
		if out.flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-beat.C:
			fmt.Fprint(out, ": still here\n\n")
		case <-r.Context().Done():
			return
		case <-s.stopping:
			return
		}
	}
}

// position is the number of the last event that a page has.
func position(r *http.Request) (int, error) {
	for _, text := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after")} {
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("%.40q is no number of an event", text)
		}
		return n, nil
	}
	return 0, nil
}

// segmentsEvent is an event as a page gets it.
type segmentsEvent struct {
	Replace  bool          `json:"replace,omitempty"`
	Segments []asr.Segment `json:"segments"`
}

// events writes a stream and remembers what the page knows.
type events struct {
	pacedWriter
	sent  map[string]string // by job, as it was last told
	began bool
	err   error
}

// jobs tells what is new about jobs: at first all of them, then each that has
// changed or is gone.
func (e *events) jobs(all []view) {
	if !e.began {
		e.event("jobs", 0, all)
	}
	gone := e.sent
	e.sent = make(map[string]string, len(all))
	for _, v := range all {
		data, _ := json.Marshal(v)
		if e.began && gone[v.ID] != string(data) {
			e.event("job", 0, v)
		}
		e.sent[v.ID] = string(data)
		delete(gone, v.ID)
	}
	for id := range gone {
		e.event("gone", 0, id)
	}
	e.began = true
}

// event writes one; JSON has no line breaks of its own. seq 0: it has no place
// in a history.
func (e *events) event(kind string, seq int, data any) {
	text, err := json.Marshal(data)
	if err == nil && seq > 0 {
		_, err = fmt.Fprintf(e, "id: %d\n", seq)
	}
	if err == nil {
		_, err = fmt.Fprintf(e, "event: %s\ndata: %s\n\n", kind, text)
	}
	if e.err == nil {
		e.err = err
	}
}

func (e *events) flush() error {
	if e.err == nil {
		e.err = e.control.Flush()
	}
	return e.err
}
