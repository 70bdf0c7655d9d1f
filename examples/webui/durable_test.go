package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/retry"
)

// A page is shown nothing that is not on disk. Here the disk refuses to promise
// anything for a while.
func TestShownIsDurable(t *testing.T) {
	var broken atomic.Bool
	s := newSite(t, func(c *config) {
		c.FS.Intercept = func(op *retry.Op, next func() error) error {
			if op.Kind == retry.OpSync && strings.Contains(op.Path, "jobs") && broken.Load() {
				return errors.New("input/output error")
			}
			return next()
		}
	})
	s.engine.block = make(chan struct{})
	id := s.upload("talk.wav", wav(talk, 12))
	s.until(id, func(v view) bool { return v.State == working })
	stream := s.stream("/api/jobs/" + id + "/events")
	broken.Store(true)
	s.engine.block <- struct{}{}
	for state := working; state == working; {
		e := stream.next()
		require.NotEqual(t, "segments", e.kind, e.data)
		var v view
		if e.kind == "job" && json.Unmarshal([]byte(e.data), &v) == nil {
			state = v.State
		}
	}
	v := s.ended(id)
	require.Equal(t, failed, v.State)
	require.Contains(t, v.Error, "input/output error")

	// The transcript itself was in the journal before: no engine is needed.
	broken.Store(false)
	require.Equal(t, http.StatusAccepted, s.do("POST", "/api/jobs/"+id+"/retry", nil).StatusCode)
	require.Equal(t, done, s.until(id, func(v view) bool { return v.State == done }).State)
	texts, _ := s.stream("/api/jobs/" + id + "/events").texts(12)
	require.Equal(t, script(talk), texts)
	require.Equal(t, 1, s.engine.calls)
}

// What is heard while the disk is busy is written at once: a slow disk makes
// few, large events.
func TestSlowDisk(t *testing.T) {
	synced, begun := make(chan struct{}), make(chan struct{}, 100)
	h := &history{path: filepath.Join(t.TempDir(), "events.jsonl"), fs: retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpSync {
			begun <- struct{}{}
			<-synced
		}
		return next()
	}}}
	require.NoError(t, h.open(t.Context()))
	l := listenInto(h, func() {}, func(err error) { t.Error(err) })
	l.heard(asr.Segment{End: time.Second})
	<-begun
	require.Empty(t, h.after(0))
	const n = 10 * maxSegments
	for i := range n {
		l.heard(asr.Segment{Start: time.Duration(i+1) * time.Second, End: time.Duration(i+2) * time.Second})
	}
	close(synced)
	l.finish()
	require.Len(t, h.after(0), 11)
	require.Len(t, h.shown(), n+1)
	require.NoError(t, h.close())
}

// The disk fills up while an upload is written: in the scope, or when it is put
// in its place.
func TestDiskFillsUp(t *testing.T) {
	for _, where := range []string{"root", "jobs"} {
		var full atomic.Bool
		s := newSite(t, func(c *config) {
			c.FS.Intercept = func(op *retry.Op, next func() error) error {
				if op.Kind == retry.OpWrite && strings.Contains(op.Path, where) && full.Load() {
					return errDiskFull
				}
				return next()
			}
		})
		full.Store(true)
		a := s.do("PUT", uploadPath("talk.wav"), bytes.NewReader(wav(talk, 1)))
		require.Equal(t, http.StatusInsufficientStorage, a.StatusCode, "%s: %s", where, a.body)
		require.Contains(t, string(a.body), "full")
		require.Empty(t, s.jobs())
		full.Store(false)
		require.Empty(t, s.staged())
		require.Empty(t, s.filesOf("audio.wav"))
		require.Equal(t, done, s.ended(s.upload("talk.wav", wav(talk, 1))).State)
	}
}

// An engine that bears several at a time gets them.
func TestParallel(t *testing.T) {
	s := newSite(t, func(c *config) { c.Engine.(*fake).parallel = 3 })
	ids := []string{s.upload("a.wav", wav(endless, 1)), s.upload("b.wav", wav(endless, 2)), s.upload("c.wav", wav(endless, 3)), s.upload("d.wav", wav(talk, 1))}
	for _, id := range ids[:3] {
		s.until(id, func(v view) bool { return v.Heard > 0 })
	}
	require.Equal(t, queued, s.job(ids[3]).State)
	s.do("POST", "/api/jobs/"+ids[1]+"/cancel", nil)
	require.Equal(t, done, s.ended(ids[3]).State)
	require.Equal(t, working, s.job(ids[0]).State)
}

// A deadline in the middle of a long answer would end it: streams have none.
func TestStreamOutlivesTheWindow(t *testing.T) {
	s := newSite(t, func(c *config) { c.Limits.window, c.Limits.heartbeat = 100*time.Millisecond, 20*time.Millisecond })
	stream := s.stream("/api/events")
	for began := time.Now(); time.Since(began) < 400*time.Millisecond; {
		stream.next()
	}
}
