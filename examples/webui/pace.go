package main

import (
	"io"
	"net/http"
	"time"
)

// pacedReader reads a body as long as its client keeps a minimal pace: some
// bytes in each window of time, however long the whole takes.
type pacedReader struct {
	io.Reader
	control *http.ResponseController
	limits  limits
	got     int64 // in this window
}

func (s *server) pacedBody(w http.ResponseWriter, body io.Reader) *pacedReader {
	p := &pacedReader{Reader: body, control: http.NewResponseController(w), limits: s.Limits}
	p.extend()
	return p
}

// extend leaves time for an answer too, should the body stand still.
func (p *pacedReader) extend() {
	p.got = 0
	until := time.Now().Add(p.limits.window)
	p.control.SetReadDeadline(until)
	p.control.SetWriteDeadline(until.Add(p.limits.window))
}

func (p *pacedReader) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if p.got += int64(n); p.got >= p.limits.pace {
		p.extend()
	}
	return n, err
}

// finish is for a body that was read to its end: the answer may take as long as
// it does, and a connection that ends is still noticed. Any other body keeps its
// limit, because the server reads on when it is refused.
func (p *pacedReader) finish() {
	p.control.SetReadDeadline(time.Time{})
	p.control.SetWriteDeadline(time.Time{})
}

// pacedWriter is the same for what a client takes.
type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	window  time.Duration
}

func (s *server) pacedWriter(w http.ResponseWriter) pacedWriter {
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Time{}) // else the end of it would end the request
	return pacedWriter{w, control, s.Limits.window}
}

func (p pacedWriter) Write(b []byte) (int, error) {
	p.control.SetWriteDeadline(time.Now().Add(p.window))
	return p.ResponseWriter.Write(b)
}
