package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/tempdir"
)

// putUpload takes one recording as the body, and makes a job of it once it is
// complete and on disk. Whatever goes wrong leaves nothing.
func (s *server) putUpload(w http.ResponseWriter, r *http.Request, owner string) {
	query := r.URL.Query()
	name, now := label(query.Get("name")), time.Now().UTC()
	order, err := strconv.ParseInt(query.Get("order"), 10, 53)
	if err != nil {
		order = now.UnixMilli() * 1000
	}
	switch {
	case r.ContentLength < 0:
		refuse(w, r, http.StatusLengthRequired, "say how long the recording is (Content-Length)")
		return
	case r.ContentLength == 0:
		refuse(w, r, http.StatusBadRequest, "the file is empty")
		return
	case r.ContentLength > s.Limits.upload:
		s.refuseTooLarge(w, r)
		return
	case s.board.count(owner) >= s.Limits.jobs:
		refuse(w, r, http.StatusTooManyRequests, "there are %d recordings here already; delete some first", s.Limits.jobs)
		return
	}
	body := s.pacedBody(w, http.MaxBytesReader(w, r.Body, s.Limits.upload))
	staged, release, ok := s.stage(w, r, body, extension(name))
	if !ok {
		return
	}
	defer release()
	body.finish()
	j, err := s.store.create(r.Context(), s.scope, staged, record{
		ID: newID(), Owner: owner, Name: name, Ext: extension(name), Size: staged.Size, Order: order, Created: now, State: queued,
	})
	if err == nil {
		if j.ref = query.Get("ref"); len(j.ref) > 40 {
			j.ref = ""
		}
		s.board.change(func() { s.board.jobs[j.ID] = j })
		err = s.submit(j)
	}
	switch {
	case errors.Is(err, errStopping): // it is safe, and waits for the next server
	case err != nil:
		s.refuseBroken(w, r, err)
		return
	}
	answer(w, http.StatusCreated, map[string]string{"id": j.ID})
}

// stage streams the recording in a request into the server's scope. If it is
// not ok, the answer was given.
func (s *server) stage(w http.ResponseWriter, r *http.Request, body io.Reader, ext string) (staged tempdir.Staged, release func(), ok bool) {
	select {
	case <-s.stopping:
		w.Header().Set("Retry-After", "5")
		refuse(w, r, http.StatusServiceUnavailable, "the server is stopping")
		return staged, nil, false
	default:
	}
	size := r.ContentLength // of all there is in the request, or -1
	give, ok := s.uploads.take()
	if !ok {
		w.Header().Set("Retry-After", "2")
		refuse(w, r, http.StatusServiceUnavailable, "too many uploads at a time")
		return staged, nil, false
	}
	defer give()
	if size < 0 {
		size = s.Limits.upload
	}
	unreserve, err := s.space.reserve(2 * size) // it is copied from the scope to the job
	if err != nil {
		s.refuseBroken(w, r, err)
		return staged, nil, false
	}
	defer func() {
		if release == nil {
			unreserve()
		}
	}()
	start := bufio.NewReaderSize(body, 512)
	if head, _ := start.Peek(512); len(head) > 0 {
		if what := notAudio(head); what != "" {
			refuse(w, r, http.StatusUnsupportedMediaType, "this is no recording: it looks like %s", what)
			return staged, nil, false
		}
	}
	staged, err = s.scope.StageReader(r.Context(), start, ext)
	if err != nil {
		s.refuseBroken(w, r, err)
		return staged, nil, false
	}
	release = func() {
		unreserve()
		if err := s.fs.Remove(context.WithoutCancel(r.Context()), staged.Path); err != nil {
			s.log.Warn("staged upload", "path", staged.Path, "err", err)
		}
	}
	if staged.Size == 0 {
		release()
		refuse(w, r, http.StatusBadRequest, "the file is empty")
		return staged, nil, false
	}
	return staged, release, true
}

func (s *server) refuseTooLarge(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, http.StatusRequestEntityTooLarge, "the recording is too large: at most %s", bytesText(s.Limits.upload))
}

// refuseBroken says what became of an upload that could not be kept.
func (s *server) refuseBroken(w http.ResponseWriter, r *http.Request, err error) {
	_, noSpace := errors.AsType[*noSpaceError](err)
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case tooLarge:
		s.refuseTooLarge(w, r)
	case noSpace:
		refuse(w, r, http.StatusInsufficientStorage, "%v", err)
	case isDiskFull(err):
		refuse(w, r, http.StatusInsufficientStorage, "the server's disk is full")
	case errors.Is(err, os.ErrDeadlineExceeded):
		refuse(w, r, http.StatusRequestTimeout, "the upload stood still for too long")
	case errors.Is(err, io.ErrUnexpectedEOF), r.Context().Err() != nil:
		refuse(w, r, http.StatusBadRequest, "the recording did not arrive whole")
	default:
		s.log.Error("upload", "err", err)
		refuse(w, r, http.StatusInternalServerError, "the recording could not be kept: %v", err)
	}
}

// notAudio names what a file is that is certainly no recording, by its first
// bytes: an upload of hours should not end with that news. What it lets through
// is judged when it is read.
func notAudio(head []byte) string {
	t, _, _ := strings.Cut(http.DetectContentType(head), ";")
	switch {
	case t == "application/zip" || t == "application/x-gzip" || t == "application/x-rar-compressed":
		return "an archive; unpack it first"
	case t == "application/pdf":
		return "a PDF document"
	case strings.HasPrefix(t, "text/"):
		return "text"
	case strings.HasPrefix(t, "image/"):
		return "a picture"
	}
	return ""
}
