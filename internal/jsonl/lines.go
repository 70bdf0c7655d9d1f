package jsonl

import (
	"bytes"
	"errors"
	"io"
)

// Lines cuts a stream into lines. It holds one line at a time, so its memory
// does not depend on the length of the stream.
type Lines struct {
	r          io.Reader
	max        int
	buf        []byte
	start, end int // the unread part of buf
	eof        bool
	err        error

	line       []byte
	number     int
	base       int64 // offset of buf[start] in the stream
	offset     int64
	terminated bool
	tooLong    bool
}

const firstBuffer = 64 << 10

// NewLines reads lines of at most max bytes from r.
func NewLines(r io.Reader, max int) *Lines {
	return &Lines{r: r, max: max, buf: make([]byte, firstBuffer)}
}

// Next moves on to the next line; it returns false at the end and after an
// error.
func (l *Lines) Next() bool {
	l.line, l.tooLong, l.terminated = nil, false, false
	l.offset = l.base
	if !l.collect() {
		return false
	}
	l.number++
	return true
}

// collect makes line the bytes up to the next newline, or up to the end.
func (l *Lines) collect() bool {
	searched := 0
	for {
		if i := bytes.IndexByte(l.buf[l.start+searched:l.end], '\n'); i >= 0 {
			l.take(searched+i, 1)
			return true
		}
		searched = l.end - l.start
		if searched > l.max {
			// The buffer must not grow with a line that is refused anyway.
			l.drop(searched)
			l.tooLong = true
			searched = 0
		}
		if l.eof {
			break
		}
		l.fill()
	}
	if l.err != nil {
		return false
	}
	if l.end == l.start && !l.tooLong {
		return false
	}
	l.take(l.end-l.start, 0)
	return true
}

func (l *Lines) take(n, newline int) {
	l.line = l.buf[l.start : l.start+n]
	l.terminated = newline == 1
	l.drop(n + newline)
	if n > l.max {
		l.tooLong = true
	}
	if l.tooLong {
		l.line = nil
	}
}

func (l *Lines) drop(n int) {
	l.start += n
	l.base += int64(n)
}

// fill reads more, behind what is there already.
func (l *Lines) fill() {
	if l.start > 0 {
		copy(l.buf, l.buf[l.start:l.end])
		l.end -= l.start
		l.start = 0
	}
	if l.end == len(l.buf) {
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	}
	for range 100 {
		n, err := l.r.Read(l.buf[l.end:])
		l.end += n
		if err != nil {
			l.eof = true
			if !errors.Is(err, io.EOF) {
				l.err = err
			}
			return
		}
		if n > 0 {
			return
		}
	}
	l.eof, l.err = true, io.ErrNoProgress
}

// Bytes is the line without its newline. It is valid until the next call of
// Next, and nil for a line that is too long.
func (l *Lines) Bytes() []byte { return l.line }

// Number counts lines from 1.
func (l *Lines) Number() int { return l.number }

// Offset is where the line begins in the stream.
func (l *Lines) Offset() int64 { return l.offset }

// End is where the next line begins.
func (l *Lines) End() int64 { return l.base }

// Terminated tells whether the line ended in a newline: the last one of a
// torn file does not.
func (l *Lines) Terminated() bool { return l.terminated }

// TooLong tells that the line was longer than the limit and was skipped.
func (l *Lines) TooLong() bool { return l.tooLong }

// Err is what ended the reading, nil at the regular end.
func (l *Lines) Err() error { return l.err }

var byteOrderMark = []byte("\xef\xbb\xbf")

// Trim removes white space at both ends and, on the first line, the byte
// order mark that Windows editors write.
func Trim(line []byte, number int) []byte {
	if number == 1 {
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	for len(line) > 0 && isSpace(line[0]) {
		line = line[1:]
	}
	for len(line) > 0 && isSpace(line[len(line)-1]) {
		line = line[:len(line)-1]
	}
	return line
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n'
}
