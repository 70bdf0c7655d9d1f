package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHappyPath(t *testing.T) {
	s := newSite(t, nil)
	id := s.upload("talk.wav", wav(talk, 12))
	v := s.ended(id)
	require.Equal(t, done, v.State)
	require.Equal(t, "talk.wav", v.Name)
	require.InDelta(t, 12, v.Length, 0.001)
	require.Equal(t, "en", v.Language)
	require.Equal(t, len(strings.Fields(strings.Join(script(talk), " "))), v.Words)
	texts, ids := s.stream("/api/jobs/" + id + "/events").texts(12)
	require.Equal(t, script(talk), texts)
	for i, n := range ids {
		require.Equal(t, i+1, n)
	}
}

// One stream for all: what comes is a list, then what changes.
func TestStream(t *testing.T) {
	s := newSite(t, func(c *config) { c.Limits.heartbeat = 50 * time.Millisecond })
	s.engine.block = make(chan struct{})
	st := s.stream("/api/events")
	require.Equal(t, sent{kind: "jobs", data: "[]"}, st.next())
	require.Equal(t, "comment", st.next().kind, "a sign of life")
	first := s.upload("first.wav", wav(talk, 1))
	second := s.upload("second.wav", wav(talk, 2))
	v := s.until(second, func(v view) bool { return v.Place == 1 })
	require.Equal(t, queued, v.State)
	s.until(first, func(v view) bool { return v.State == working })
	s.engine.block <- struct{}{}
	s.engine.block <- struct{}{}
	s.ended(second)
	require.Equal(t, http.StatusNoContent, s.do("DELETE", "/api/jobs/"+first, nil).StatusCode)
	for {
		if e := st.next(); e.kind == "gone" {
			require.Equal(t, `"`+first+`"`, e.data)
			break
		}
	}
}

// A page that comes again gets what it has missed, each once: by the header
// that a browser sends, which counts more, or by the address.
func TestStreamGoesOn(t *testing.T) {
	s := newSite(t, nil)
	s.engine.pace = time.Millisecond // several events
	id := s.upload("talk.wav", wav(talk, 12))
	s.ended(id)
	path := "/api/jobs/" + id + "/events"
	all, ids := s.stream(path).texts(12)
	require.Greater(t, len(ids), 1)
	one, _ := s.stream(path).texts(1)
	for _, header := range [][]string{{"Last-Event-ID", "1"}, {"Last-Event-ID", "1"}, {}} {
		query := "?after=2"
		if len(header) == 0 {
			query = "?after=1"
		}
		rest, got := s.stream(path+query, header...).texts(12 - len(one))
		require.Equal(t, all[len(one):], rest)
		require.Equal(t, ids[1:], got)
	}
	require.Equal(t, http.StatusBadRequest, s.get(path+"?after=x").StatusCode)
	require.Equal(t, http.StatusBadRequest, s.get(path+"?after=-1").StatusCode)
}

// Segments are shown while the engine is still at work.
func TestLive(t *testing.T) {
	s := newSite(t, nil)
	id := s.upload("endless.wav", wav(endless, 100))
	texts, _ := s.stream("/api/jobs/" + id + "/events").texts(1)
	require.Equal(t, []string{"It goes on and on."}, texts)
	v := s.until(id, func(v view) bool { return v.Heard > 0 })
	require.Equal(t, working, v.State)
	require.InDelta(t, 1, v.Heard, 0.001)
	require.InDelta(t, 100, v.Length, 0.001)
	require.Equal(t, http.StatusConflict, s.get("/api/jobs/"+id+"/transcript.txt").StatusCode)

	require.Equal(t, http.StatusAccepted, s.do("POST", "/api/jobs/"+id+"/cancel", nil).StatusCode)
	require.Equal(t, cancelled, s.ended(id).State)
	texts, _ = s.stream("/api/jobs/" + id + "/events").texts(1)
	require.Equal(t, []string{"It goes on and on."}, texts, "what was heard stays")
}

func TestCancelInQueue(t *testing.T) {
	s := newSite(t, nil)
	s.engine.block = make(chan struct{})
	first := s.upload("first.wav", wav(talk, 1))
	second := s.upload("second.wav", wav(talk, 2))
	third := s.upload("third.wav", wav(talk, 3))
	s.until(third, func(v view) bool { return v.Place == 2 })
	s.do("POST", "/api/jobs/"+second+"/cancel", nil)
	require.Equal(t, cancelled, s.ended(second).State)
	require.Equal(t, 1, s.job(third).Place)
	s.engine.block <- struct{}{}
	s.engine.block <- struct{}{}
	require.Equal(t, done, s.ended(first).State)
	require.Equal(t, done, s.ended(third).State)

	require.Equal(t, http.StatusConflict, s.do("POST", "/api/jobs/"+first+"/retry", nil).StatusCode)
	require.Equal(t, http.StatusAccepted, s.do("POST", "/api/jobs/"+second+"/retry", nil).StatusCode)
	s.engine.block <- struct{}{}
	require.Equal(t, done, s.ended(second).State)
}

func TestDelete(t *testing.T) {
	s := newSite(t, nil)
	finished := s.upload("finished.wav", wav(talk, 1))
	s.ended(finished)
	busy := s.upload("busy.wav", wav(endless, 5))
	s.until(busy, func(v view) bool { return v.Heard > 0 })
	waiting := s.upload("waiting.wav", wav(talk, 2))
	for _, id := range []string{finished, busy, waiting} {
		require.Equal(t, http.StatusNoContent, s.do("DELETE", "/api/jobs/"+id, nil).StatusCode)
		require.Equal(t, http.StatusNotFound, s.get("/api/jobs/"+id+"/audio").StatusCode)
	}
	require.Empty(t, s.jobs())
	require.Eventually(t, func() bool { return len(s.elsewhere(filepath.Join(s.base, "out", "jobs"))) == 0 }, patience, time.Millisecond)
	s.ended(s.upload("next.wav", wav(talk, 3)))
}

// What happens to one job costs no other.
func TestFailuresAreAlone(t *testing.T) {
	s := newSite(t, nil)
	want := map[string]string{}
	for i, c := range []struct {
		number int
		text   string
	}{
		{badAudio, "This cannot be read as a recording: 0.wav is only noise"}, {talk, ""}, {dies, "segmentation fault"},
		{talk, ""}, {panics, "index out of range"}, {silence, ""}, {corrects, ""},
	} {
		want[s.upload(fmt.Sprintf("%d.wav", i), wav(c.number, 1+i))] = c.text
	}
	for id, text := range want {
		v := s.ended(id)
		if text == "" {
			require.Equal(t, done, v.State, v.Error)
			continue
		}
		require.Equal(t, failed, v.State)
		require.Contains(t, v.Error, text)
		require.NotContains(t, v.Error, s.base)
	}
}

func TestSilence(t *testing.T) {
	s := newSite(t, nil)
	v := s.ended(s.upload("silence.wav", wav(silence, 1)))
	require.Equal(t, done, v.State)
	require.Zero(t, v.Words)
	a := s.get("/api/jobs/" + v.ID + "/transcript.vtt")
	require.Equal(t, "WEBVTT\n\n", string(a.body))
}

// The end has the last word over what was heard on the way.
func TestCorrection(t *testing.T) {
	s := newSite(t, nil)
	s.engine.pace = time.Millisecond
	id := s.upload("talk.wav", wav(corrects, 12))
	s.ended(id)
	st := s.stream("/api/jobs/" + id + "/events")
	var texts []string
	misheard := false
	for len(texts) < 12 || texts[10] == "Misheard." {
		more, _ := st.texts(1)
		if len(more) == 12 {
			texts = more // the event that replaces all
			continue
		}
		texts = append(texts, more...)
		misheard = misheard || strings.Contains(strings.Join(texts, "\n"), "Misheard.")
	}
	require.True(t, misheard)
	require.Equal(t, script(corrects), texts)
}

func TestLongTranscript(t *testing.T) {
	s := newSite(t, nil)
	id := s.upload("long.wav", wav(long, 100))
	require.Equal(t, done, s.ended(id).State)
	texts, _ := s.stream("/api/jobs/" + id + "/events").texts(10000)
	require.Equal(t, script(long), texts)
}

// The next server has the jobs of the one before, and ends what that began.
func TestRestart(t *testing.T) {
	s := newSite(t, nil)
	finished := s.upload("finished.wav", wav(talk, 12))
	s.ended(finished)
	failing := s.upload("failed.wav", wav(badAudio, 1))
	s.ended(failing)
	busy := s.upload("busy.wav", wav(endless, 5))
	waiting := s.upload("waiting.wav", wav(lecture, 60))
	s.until(busy, func(v view) bool { return v.Heard > 0 })
	before, _ := s.stream("/api/jobs/" + finished + "/events").texts(12)
	calls := s.engine.calls
	s.stop()
	require.Empty(t, s.staged(), "no scope is left")

	s.start()
	s.until(busy, func(v view) bool { return v.Heard > 0 })
	require.Equal(t, "finished.wav", s.job(finished).Name)
	require.Equal(t, done, s.job(finished).State)
	require.Equal(t, failed, s.job(failing).State)
	require.Equal(t, queued, s.job(waiting).State)
	again, _ := s.stream("/api/jobs/" + finished + "/events").texts(12)
	require.Equal(t, before, again)
	require.Equal(t, wav(talk, 12), s.get("/api/jobs/"+finished+"/audio").body)
	s.do("POST", "/api/jobs/"+busy+"/cancel", nil)
	require.Equal(t, done, s.ended(waiting).State)
	require.Equal(t, calls+2, s.engine.calls)

	// The same recording is not heard twice.
	require.Equal(t, done, s.ended(s.upload("again.wav", wav(talk, 12))).State)
	require.Equal(t, calls+2, s.engine.calls)
}

// Half a job, as a killed server leaves it, is cleared away; whatever else lies
// in the folder is left alone.
func TestRemains(t *testing.T) {
	s := newSite(t, nil)
	id := s.upload("talk.wav", wav(talk, 1))
	s.ended(id)
	s.stop()
	jobs := filepath.Join(s.base, "out", "jobs")
	half, foreign := filepath.Join(jobs, newID()), filepath.Join(jobs, newID())
	require.NoError(t, os.Mkdir(half, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(half, "audio.wav"), []byte("RIFF"), 0o600))
	require.NoError(t, os.Mkdir(foreign, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(foreign, recordName), []byte("not ours"), 0o600))
	users := filepath.Join(jobs, "Client A", "contract.txt")
	require.NoError(t, os.Mkdir(filepath.Dir(users), 0o700))
	require.NoError(t, os.WriteFile(users, []byte("signed"), 0o600))
	s.start()
	require.NoDirExists(t, half)
	require.FileExists(t, filepath.Join(foreign, recordName))
	require.FileExists(t, users)
	require.Len(t, s.jobs(), 1)
}

func TestOneServerForAFolder(t *testing.T) {
	s := newSite(t, nil)
	_, err := newServer(t.Context(), s.config)
	require.ErrorContains(t, err, "another server uses the folder")
}

func TestFilesDroppedTogetherKeepTheirOrder(t *testing.T) {
	s := newSite(t, nil)
	for i, name := range []string{"old.wav", "a.wav", "b.wav", "c.wav"} {
		order := []int64{1000, 2000, 1999, 1998}[i]
		a := s.do("PUT", fmt.Sprintf("%s&order=%d&ref=r%d", uploadPath(name), order, i), bytes.NewReader(wav(talk, 1)))
		require.Equal(t, http.StatusCreated, a.StatusCode)
	}
	var names []string
	for _, v := range s.jobs() {
		names = append(names, v.Name+" "+v.Ref)
	}
	require.Equal(t, []string{"a.wav r1", "b.wav r2", "c.wav r3", "old.wav r0"}, names)
}
