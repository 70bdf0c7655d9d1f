package ggml

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Write writes a whole ggml Whisper file: header, mel filters, the words that
// the file names (whisper.cpp names the special tokens itself), and every tensor
// of h.Tensors(). data is called once for each and writes its elements, outermost
// dimension slowest: float32 for a Vector, otherwise float16, or float32 where
// h.FType is 0. Other number formats are refused.
func Write(w io.Writer, h Header, words []string, data func(io.Writer, Tensor) error) error {
	if err := h.check(); err != nil {
		return err
	}
	if h.FType > 1 {
		return refuse("cannot write number format %d, only float32 and float16", h.FType)
	}
	out := &encoder{w: bufio.NewWriterSize(w, 1<<16)}

	out.int(magic)
	for _, f := range h.fields() {
		out.int(*f)
	}
	out.int(h.Mels)
	out.int(fftBins)
	for _, v := range melFilters(h.Mels) {
		out.int(int(math.Float32bits(v)))
	}
	out.int(len(words))
	for _, word := range words {
		out.int(len(word))
		out.text(word)
	}
	for _, t := range h.Tensors() {
		kind := h.elementType(t)
		out.int(len(t.Dims))
		out.int(len(t.Name))
		out.int(int(kind))
		for _, d := range t.Dims {
			out.int(d)
		}
		out.text(t.Name)
		if out.err != nil {
			break
		}
		start := out.n
		if err := data(out, t); err != nil {
			return err
		}
		if got, want := out.n-start, t.elements()*blocks[kind].size; got != want {
			return fmt.Errorf("tensor %s: %d bytes were written, it takes %d", t.Name, got, want)
		}
	}
	if out.err != nil {
		return out.err
	}
	return out.w.Flush()
}

// encoder writes little-endian numbers, keeps the first error and counts.
type encoder struct {
	w   *bufio.Writer
	n   int64
	err error
}

func (e *encoder) Write(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	n, err := e.w.Write(p)
	e.n += int64(n)
	e.err = err
	return n, err
}

func (e *encoder) int(v int) {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], uint32(v))
	e.Write(b[:])
}

func (e *encoder) text(s string) { io.WriteString(e, s) }
