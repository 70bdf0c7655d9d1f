package main

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/asr/subtitle"
)

// getConfig says what a page should know before it uploads.
func (s *server) getConfig(w http.ResponseWriter, r *http.Request) {
	engine := s.Engine.Engine()
	answer(w, http.StatusOK, map[string]any{
		"engine": engine.Name, "model": engine.Model, "maxBytes": s.Limits.upload, "maxJobs": s.Limits.jobs,
	})
}

func (s *server) getJobs(w http.ResponseWriter, r *http.Request, owner string) {
	answer(w, http.StatusOK, s.board.list(owner, s.queue.places()))
}

func (s *server) postCancel(w http.ResponseWriter, r *http.Request, j *job) {
	s.cancel(j)
	w.WriteHeader(http.StatusAccepted)
}

// postRetry puts a job that has failed, or was cancelled, into the queue again.
func (s *server) postRetry(w http.ResponseWriter, r *http.Request, j *job) {
	if err := s.retry(j); err != nil {
		refuse(w, r, http.StatusConflict, "%v", err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func (s *server) deleteJob(w http.ResponseWriter, r *http.Request, j *job) {
	if err := s.remove(r.Context(), j); err != nil {
		s.log.Error("delete", "job", j.ID, "err", err)
		refuse(w, r, http.StatusInternalServerError, "it could not be deleted: %v", err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// getAudio gives an upload back for playing, never as a document: its bytes are
// a stranger's, whatever its name says.
func (s *server) getAudio(w http.ResponseWriter, r *http.Request, j *job) {
	s.sendFile(w, r, j.audio(), mediaType(j.Ext), attachment(j.Name, j.Ext))
}

// getTranscript gives "transcript.srt" and the like, under the recording's name.
func (s *server) getTranscript(w http.ResponseWriter, r *http.Request, j *job) {
	file := r.PathValue("file")
	ext := path.Ext(file)
	if !strings.HasPrefix(file, "transcript.") || !slices.Contains(downloads, subtitle.Format(strings.TrimPrefix(ext, "."))) {
		refuse(w, r, http.StatusNotFound, "there is no such file")
		return
	}
	if s.board.record(j).State != done {
		refuse(w, r, http.StatusConflict, "the transcript is not ready")
		return
	}
	types := map[string]string{".vtt": "text/vtt; charset=utf-8", ".json": "application/json"}
	contentType, ok := types[ext]
	if !ok {
		contentType = "text/plain; charset=utf-8"
	}
	s.sendFile(w, r, j.transcript(ext), contentType, attachment(j.Name, ext))
}

func (s *server) sendFile(w http.ResponseWriter, r *http.Request, name, contentType, disposition string) {
	f, err := s.fs.Open(r.Context(), name)
	if err != nil {
		s.log.Warn("file of a job", "err", err)
		refuse(w, r, http.StatusNotFound, "the file is gone")
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		refuse(w, r, http.StatusInternalServerError, "the file cannot be read")
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", disposition)
	http.ServeContent(s.pacedWriter(w), r, "", info.ModTime(), f.OS())
}
