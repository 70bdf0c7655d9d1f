package main

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// form is a request for a transcription as OpenAI's clients send it. What an
// engine here has no use for (model, prompt, temperature, stream) is read over,
// as OpenAI's own models do with what they lack.
type form struct {
	language, format string
	words            bool
	staged           tempdir.Staged
	release          func()
}

// formAllowance is how much longer than its recording a form may be, in bytes.
const formAllowance = 1 << 20

// badForm is an error in a field of a form.
type badForm struct{ param, message string }

func (e *badForm) Error() string { return e.message }

// postTranscription is POST /v1/audio/transcriptions. The recording waits in
// the same queue as the page's and is not kept; its transcript is, so that who
// lost the answer gets it at once when asking again.
func (s *server) postTranscription(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > s.Limits.upload+formAllowance {
		s.refuseTooLarge(w, r)
		return
	}
	body := s.pacedBody(w, http.MaxBytesReader(w, r.Body, s.Limits.upload+formAllowance))
	r.Body = io.NopCloser(body)
	f, ok := s.readForm(w, r)
	if f.release != nil {
		defer f.release()
	}
	if !ok {
		return
	}
	body.finish()
	type outcome struct {
		transcript asr.Transcript
		err        error
	}
	ended := make(chan outcome, 1)
	t := &task{
		entry:   manifest.Entry{AudioPath: f.staged.Path, Lang: f.language},
		started: func() {}, heard: func(asr.Segment) {}, progress: func(_, _ time.Duration) {},
		finished: func(t asr.Transcript, err error) { ended <- outcome{t, err} },
	}
	if !s.queue.add(t) {
		refuse(w, r, http.StatusServiceUnavailable, "%v", errStopping)
		return
	}
	var o outcome
	select {
	case o = <-ended:
	case <-r.Context().Done():
		s.queue.end(t, errCancelled)
		<-ended // the engine still reads the file
		return
	}
	switch {
	case errors.Is(o.err, asr.ErrBadAudio):
		refuseOpenAI(w, http.StatusBadRequest, "file", explain(o.err, f.staged.Path, "the file"))
	case errors.Is(o.err, errStopping):
		refuse(w, r, http.StatusServiceUnavailable, "%v", errStopping)
	case o.err != nil:
		s.log.Warn("transcription for a program failed", "err", o.err)
		refuse(w, r, http.StatusInternalServerError, "%s", explain(o.err, f.staged.Path, "the file"))
	default:
		s.answerTranscription(w, f, o.transcript)
	}
}

// readForm reads a form as it comes, whatever the order of its fields: the
// recording goes straight into the scope. If it is not ok, the answer was given.
func (s *server) readForm(w http.ResponseWriter, r *http.Request) (f form, ok bool) {
	f.format = "json"
	var granularities []string
	parts, err := r.MultipartReader()
	if err != nil {
		refuse(w, r, http.StatusBadRequest, "send a form (multipart/form-data) with the recording as its field \"file\"")
		return f, false
	}
	left := int64(formAllowance)
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			s.refuseBroken(w, r, err)
			return f, false
		}
		if part.FormName() == "file" && f.release == nil {
			if f.staged, f.release, ok = s.stage(w, r, part, extension(label(part.FileName()))); !ok {
				return f, false
			}
			continue
		}
		value, err := readField(part, &left)
		if err != nil {
			s.refuseBroken(w, r, err)
			return f, false
		}
		switch part.FormName() {
		case "language":
			f.language = value
		case "response_format":
			f.format = value
		case "timestamp_granularities[]", "timestamp_granularities":
			granularities = append(granularities, value)
		}
	}
	f.words = slices.Contains(granularities, "word")
	if err := f.check(granularities); err != nil {
		refuseOpenAI(w, http.StatusBadRequest, err.param, err.message)
		return f, false
	}
	return f, true
}

// readField reads a short field; all of them together are limited.
func readField(part *multipart.Part, left *int64) (string, error) {
	b, err := io.ReadAll(io.LimitReader(part, *left+1))
	if *left -= int64(len(b)); err == nil && *left < 0 {
		err = &http.MaxBytesError{Limit: formAllowance}
	}
	return string(b), err
}

func (f form) check(granularities []string) *badForm {
	formats := []string{"json", "text", "srt", "vtt", "verbose_json"}
	switch {
	case f.release == nil:
		return &badForm{"file", "the recording is missing: send it as the field \"file\""}
	case !slices.Contains(formats, f.format):
		return &badForm{"response_format", "unknown response_format; there are " + strings.Join(formats, ", ")}
	case strings.Trim(strings.ToLower(f.language), "abcdefghijklmnopqrstuvwxyz-") != "" || len(f.language) > 12:
		return &badForm{"language", "language is a code such as en or de"}
	case len(granularities) > 0 && f.format != "verbose_json":
		return &badForm{"timestamp_granularities", "timestamp_granularities needs response_format verbose_json"}
	}
	for _, g := range granularities {
		if g != "word" && g != "segment" {
			return &badForm{"timestamp_granularities", "timestamp_granularities are word and segment"}
		}
	}
	return nil
}

func (s *server) getModels(w http.ResponseWriter, r *http.Request) {
	engine := s.Engine.Engine()
	answer(w, http.StatusOK, map[string]any{"object": "list", "data": []any{
		map[string]any{"id": engine.Model, "object": "model", "created": 0, "owned_by": engine.Name},
	}})
}
