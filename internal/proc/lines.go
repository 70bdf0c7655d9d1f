package proc

import (
	"bytes"
	"strings"
)

const (
	maxLine  = 16 << 20
	tailSize = 8 << 10
	tailRows = 20
)

// lines cuts a stream into lines.
type lines struct {
	each    func([]byte) // may be nil
	returns bool         // a carriage return ends a line too
	rest    []byte       // the beginning of a line
}

func (l *lines) write(b []byte) {
	ends := "\n"
	if l.returns {
		ends = "\r\n"
	}
	for {
		i := bytes.IndexAny(b, ends)
		if i < 0 {
			break
		}
		if len(l.rest) > 0 {
			l.rest = append(l.rest, b[:i]...)
			l.emit(l.rest)
			l.rest = l.rest[:0]
		} else {
			l.emit(b[:i])
		}
		b = b[i+1:]
	}
	for len(l.rest)+len(b) >= maxLine {
		n := maxLine - len(l.rest)
		l.emit(append(l.rest, b[:n]...))
		l.rest, b = l.rest[:0], b[n:]
	}
	l.rest = append(l.rest, b...)
}

// close emits a last line that has no end.
func (l *lines) close() {
	if len(l.rest) > 0 {
		l.emit(l.rest)
		l.rest = nil
	}
}

func (l *lines) emit(line []byte) {
	if l.returns && len(line) == 0 {
		return // between \r and \n
	}
	if l.each != nil {
		l.each(bytes.TrimSuffix(line, []byte("\r")))
	}
}

// tail keeps the last lines.
type tail struct {
	rows []string
	size int
}

func (t *tail) add(line []byte) {
	if len(line) > tailSize-1 {
		line = line[len(line)-tailSize+1:]
	}
	row := strings.ToValidUTF8(string(line), "?")
	t.rows = append(t.rows, row)
	t.size += len(row) + 1
	for len(t.rows) > tailRows || t.size > tailSize {
		t.size -= len(t.rows[0]) + 1
		t.rows = t.rows[1:]
	}
}

func (t *tail) String() string { return strings.Join(t.rows, "\n") }

func lastLine(s string) string {
	rows := strings.Split(s, "\n")
	for i := len(rows) - 1; i >= 0; i-- {
		if row := strings.TrimSpace(rows[i]); row != "" {
			return row
		}
	}
	return ""
}
