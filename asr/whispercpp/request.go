package whispercpp

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/internal/ggml"
)

// maxReply is far more than the words of MaxAudio need.
const maxReply = 64 << 20

// request has the server transcribe one job. If it is cancelled, the process
// ends: the server itself looks only now and then whether somebody still waits.
func (s *server) request(ctx context.Context, j job) (*output, error) {
	name := rand.Text()
	defer s.begin(j, name)()
	info, err := j.sound.Stat()
	if err != nil {
		return nil, err
	}
	head, tail, contentType, err := form(name, j.language)
	if err != nil {
		return nil, err
	}
	sound := &source{Reader: io.NewSectionReader(j.sound, 0, info.Size())}
	out := &upload{Reader: io.MultiReader(bytes.NewReader(head), sound, bytes.NewReader(tail)), closed: make(chan struct{})}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/inference", out)
	if err != nil {
		return nil, err
	}
	request.ContentLength = int64(len(head)) + info.Size() + int64(len(tail))
	request.Header.Set("Content-Type", contentType)
	reply, err := s.http.Do(request)
	var body []byte
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(reply.Body, maxReply))
		reply.Body.Close()
	}
	<-out.closed // until then the file may be read
	switch {
	case err == nil: // also if it was stopped a moment later
		return s.understand(ctx, j, reply.StatusCode, body)
	case ctx.Err() != nil:
		s.stop()
		return nil, context.Cause(ctx)
	case sound.err != nil:
		s.stop()
		return nil, sound.err
	}
	return nil, s.died(err)
}

func (s *server) understand(ctx context.Context, j job, status int, body []byte) (*output, error) {
	switch text := oneLine(body); {
	case status == http.StatusOK:
		r, err := parseReply(body)
		if err != nil {
			return nil, s.fail(err)
		}
		if r.damaged() {
			if err := s.restore(ctx, r); err != nil {
				s.t.log.Warn("characters that the server could not send are lost", "id", j.ID, "err", err)
			}
		}
		return r.output(), nil
	case status == http.StatusBadRequest: // the fields that it needs are there
		return nil, s.fail(asr.ErrBadAudio)
	case status == http.StatusNotFound: // not ours: on Linux two servers may share a port
		return nil, s.t.dead(s.stop(), errors.New("another program answers at the server's port"))
	case says(string(body), "bad_alloc", "out of memory"):
		return nil, s.t.dead(s.stop(), fmt.Errorf("%w: %s", asr.ErrOutOfMemory, text))
	default:
		return nil, s.fail(fmt.Errorf("the server answers %d: %s", status, text))
	}
}

// restore reads the vocabulary when it is first needed.
func (s *server) restore(ctx context.Context, r *reply) error {
	if s.vocabulary == nil {
		f, err := s.g.model.hold(ctx, s.t.config.FS)
		if err != nil {
			return err
		}
		defer f.Close()
		if s.vocabulary, err = ggml.Words(f, s.g.model.info.Size()); err != nil {
			return err
		}
	}
	r.restore(s.vocabulary)
	return nil
}

// form gives what stands before and after the sound in a request's body.
func form(name, language string) (head, tail []byte, contentType string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, field := range [][2]string{
		{"response_format", "verbose_json"},
		{"language", language},
		{"beam_size", "1"},
		{"best_of", "1"},
		{"max_len", "100000"},                 // else it cuts segments at 60 characters, within words
		{"no_language_probabilities", "true"}, // else it encodes everything twice
	} {
		if err := w.WriteField(field[0], field[1]); err != nil {
			return nil, nil, "", err
		}
	}
	if _, err := w.CreateFormFile("file", name); err != nil {
		return nil, nil, "", err
	}
	n := b.Len()
	if err := w.Close(); err != nil {
		return nil, nil, "", err
	}
	return b.Bytes()[:n], b.Bytes()[n:], w.FormDataContentType(), nil
}

// upload is a request's body; net/http closes it when it has done with it.
type upload struct {
	io.Reader
	once   sync.Once
	closed chan struct{}
}

func (u *upload) Close() error {
	u.once.Do(func() { close(u.closed) })
	return nil
}

// source keeps the error of a file that cannot be read, for which the server is
// not to blame.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// oneLine gives the beginning of a text without its line breaks.
func oneLine(b []byte) string {
	text := strings.Join(strings.Fields(string(b[:min(len(b), 300)])), " ")
	return strings.ToValidUTF8(text, "?")
}
