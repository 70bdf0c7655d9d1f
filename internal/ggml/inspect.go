package ggml

import (
	"fmt"
	"io"
	"strings"
)

// Model says what a ggml file holds.
type Model struct {
	Header
	Type         string // as whisper.cpp names it: tiny, base, small, medium, large, or unknown
	Multilingual bool
}

// Inspect checks that r, size bytes long, is a whole Whisper model that
// whisper.cpp can use: header, mel filters, vocabulary, and a tensor table that
// has every tensor once, in the right shape, and ends where the file ends. No
// weights are read, so it takes milliseconds for any model; whether the weights
// are the right ones, only a checksum can tell.
//
// whisper.cpp itself starts happily with some damaged files and then finds no
// words, and it never returns from others, hence this check. What it cannot use
// is refused with a *FormatError.
func Inspect(r io.ReaderAt, size int64) (Model, error) {
	c := &cursor{r: r, size: size, place: "the header"}
	m, err := inspect(c)
	if c.err != nil { // it came first: later fields read as zero
		err = c.err
	}
	if err != nil {
		return Model{}, err
	}
	return m, nil
}

func inspect(c *cursor) (Model, error) {
	var m Model
	if c.size == 0 {
		return m, refuse("empty file")
	}
	if err := checkMagic(c); err != nil {
		return m, err
	}
	for _, f := range m.fields() {
		*f = c.i32()
	}
	if c.err != nil {
		return m, nil
	}
	if err := m.check(); err != nil {
		return m, err
	}
	m.Multilingual = m.multilingual()
	m.Type = map[int]string{4: "tiny", 6: "base", 12: "small", 24: "medium", 32: "large"}[m.AudioLayer]
	if m.Type == "" {
		m.Type = "unknown"
	}

	c.place = "the mel filters"
	rows, columns := c.i32(), c.i32()
	if c.err == nil && (rows != m.Mels || columns != fftBins) {
		return m, refuse("damaged: the mel filters are %d × %d, they should be %d × %d", rows, columns, m.Mels, fftBins)
	}
	c.skip(int64(m.Mels) * fftBins * 4)
	if err := walkVocabulary(c, m.Header); err != nil {
		return m, err
	}
	return m, walkTensors(c, m.Header)
}

// checkMagic tells what other kinds of model file are, before their fields are
// mistaken for a Whisper header.
func checkMagic(c *cursor) error {
	start := string(c.bytes(int(min(c.size, 32))))
	c.pos = 0
	switch {
	case c.err != nil:
		return c.err
	case strings.HasPrefix(start, "GGUF"):
		return refuse("a GGUF file: whisper.cpp needs the ggml format, as in ggml-base.bin")
	case strings.HasPrefix(start, "PK\x03\x04"):
		return refuse("a zip archive (such as a PyTorch checkpoint): whisper.cpp needs the ggml format, as in ggml-base.bin")
	case strings.HasPrefix(start, "\x06\x00\x00\x00\x0c\x00WhisperSpec"):
		return refuse("a CTranslate2 model: whisper.cpp needs the ggml format, as in ggml-base.bin")
	case strings.HasPrefix(start, "version https://git-lfs"):
		return refuse("a Git LFS pointer: the model itself was not downloaded")
	}
	if got := c.u32(); c.err == nil && got != magic {
		return refuse("not a ggml model: the file begins with %q", start[:min(len(start), 8)])
	}
	// A voice detector's header starts with the length of its name.
	if strings.HasPrefix(start[min(len(start), 8):], "silero") {
		return refuse("a voice activity (Silero VAD) model, not a Whisper model")
	}
	// Parakeet files have the same magic. Their first number is the vocabulary,
	// 8192 at most, and the mel bands are not where Whisper's are.
	return parakeet(c)
}

func parakeet(c *cursor) error {
	start := c.pos
	vocab := c.i32()
	c.pos = start
	if c.err == nil && vocab > 0 && vocab <= 8192 {
		return refuse("not a Whisper model: its vocabulary has %d entries, as in a Parakeet model", vocab)
	}
	return nil
}

func walkVocabulary(c *cursor, h Header) error {
	c.place = "the vocabulary"
	count := c.i32()
	if c.err == nil && (count < 1 || count > h.Vocab) {
		return refuse("damaged: the vocabulary claims %d words of %d", count, h.Vocab)
	}
	for i := 0; i < count && c.err == nil; i++ {
		n := c.i32()
		if c.err == nil && (n < 0 || n > maxWord) {
			return refuse("damaged: word %d of the vocabulary claims %d bytes", i, n)
		}
		c.skip(int64(n))
	}
	return nil
}

func walkTensors(c *cursor, h Header) error {
	missing := make(map[string]Tensor)
	for _, t := range h.Tensors() {
		missing[t.Name] = t
	}
	total := len(missing)
	if c.err == nil && c.pos == c.size {
		return refuse("a model without weights, as made for whisper.cpp's own tests (or cut after its vocabulary)")
	}
	for c.err == nil && c.pos < c.size {
		c.place = fmt.Sprintf("the tensor table, after %d of %d tensors", total-len(missing), total)
		if len(missing) == 0 {
			return refuse("damaged: %d bytes follow the last tensor", c.size-c.pos)
		}
		if err := walkTensor(c, h, missing); err != nil {
			return err
		}
	}
	if c.err == nil && len(missing) > 0 {
		return refuse("cut short: the file ends after %d of %d tensors", total-len(missing), total)
	}
	return nil
}

// walkTensor checks one entry as whisper.cpp's loader does, takes it off the
// list, and jumps over its values.
func walkTensor(c *cursor, h Header, missing map[string]Tensor) error {
	rank, length, kind := c.i32(), c.i32(), elementType(c.i32())
	if c.err == nil && (rank < 1 || rank > maxRank || length < 1 || length > maxVariableLen) {
		return refuse("damaged at byte %d: no tensor can begin there", c.pos-12)
	}
	if c.err != nil {
		return nil
	}
	var dims [maxRank]int
	for i := range dims {
		dims[i] = 1
		if i < rank {
			dims[i] = c.i32()
		}
	}
	name := string(c.bytes(length))
	if c.err != nil {
		return nil
	}
	t, ok := missing[name]
	if !ok {
		return refuse("damaged or not a Whisper model: tensor %q is unknown or occurs twice", name)
	}
	delete(missing, name)
	for i, d := range dims {
		want := 1
		if i < len(t.Dims) {
			want = t.Dims[i]
		}
		if d != want {
			return refuse("damaged: tensor %q has the shape %v, it should have %v", name, dims[:rank], t.Dims)
		}
	}
	if want := h.elementType(t); kind != want {
		return refuse("damaged: tensor %q is of type %d, the header calls for %d", name, kind, want)
	}
	b := blocks[kind]
	if t.Dims[0]%int(b.n) != 0 {
		return refuse("damaged: tensor %q cannot be stored in blocks of %d", name, b.n)
	}
	c.place = "tensor " + name
	c.skip(t.elements() / b.n * b.size)
	return nil
}
