package ggml_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/ggml"
)

// Offsets in a ggml file with 80 mel bands.
const (
	atVocabulary = 48 + 8 + 80*201*4
	atFirstWord  = atVocabulary + 4
)

func TestInspectCutAnywhere(t *testing.T) {
	whole := small()
	_, tensors := ggRead(t, whole)
	first := tensors["decoder.positional_embedding"].offset
	check := func(n int) {
		t.Helper()
		_, err := inspect(whole[:n])
		var format *ggml.FormatError
		require.ErrorAs(t, err, &format, "cut at %d of %d", n, len(whole))
		require.NotContains(t, err.Error(), "\n")
	}
	for n := 0; n < len(whole); n += 1 + n/300 {
		check(n)
	}
	for _, at := range tensors { // exactly between two tensors
		check(at.offset)
	}
	_, err := inspect(whole[:first])
	require.EqualError(t, err, "a model without weights, as made for whisper.cpp's own tests (or cut after its vocabulary)")
	_, err = inspect(whole[:first+2])
	require.EqualError(t, err, "cut short: the file ends at byte 555849, inside the tensor table, after 0 of 50 tensors")
	_, err = inspect(whole[:atFirstWord+1])
	require.EqualError(t, err, "cut short: the file ends at byte 64381, inside the vocabulary")
	_, err = inspect(whole[:tensors["encoder.ln_post.weight"].offset])
	require.EqualError(t, err, "cut short: the file ends after 48 of 50 tensors")
}

func TestInspectRefuses(t *testing.T) {
	_, tensors := ggRead(t, small())
	le := binary.LittleEndian
	put := func(at int, v int32) func([]byte) []byte {
		return func(b []byte) []byte { le.PutUint32(b[at:], uint32(v)); return b }
	}
	text := func(s string) func([]byte) []byte {
		return func([]byte) []byte { return []byte(s) }
	}
	ln := tensors["encoder.ln_post.bias"].offset
	for _, c := range []struct {
		name   string
		change func([]byte) []byte
		want   string
	}{
		{"empty", text(""), `empty file`},
		{"two bytes", text("lm"), `cut short: the file ends at byte 2, inside the header`},
		{"text", text("hello, world"), `not a ggml model: the file begins with "hello, w"`},
		{"gguf", text("GGUF\x03\x00\x00\x00"), `a GGUF file: whisper.cpp needs the ggml format, as in ggml-base.bin`},
		{"zip", text("PK\x03\x04...."), `a zip archive (such as a PyTorch checkpoint): whisper.cpp needs the ggml format, as in ggml-base.bin`},
		{"lfs", text("version https://git-lfs.github.com/spec/v1\n"), `a Git LFS pointer: the model itself was not downloaded`},
		{"ct2", func([]byte) []byte { return ctEncode(ctSmall(ctFloat16)) },
			`a CTranslate2 model: whisper.cpp needs the ggml format, as in ggml-base.bin`},
		{"vad", text("lmgg\x0a\x00\x00\x00silero-16k" + strings.Repeat("\x00", 40)), `a voice activity (Silero VAD) model, not a Whisper model`},
		{"parakeet", put(4, 8192), `not a Whisper model: its vocabulary has 8192 entries, as in a Parakeet model`},
		{"other vocabulary", put(4, 51867), `not a Whisper model: its vocabulary has 51867 entries, Whisper's has 51864 to 51866`},
		{"more than its tensors", put(4, 51865), `damaged: tensor "decoder.token_embedding.weight" has the shape [4 51864], it should have [4 51865]`},
		{"layers", put(20, 1<<30), `header out of range: audio layers is 1073741824`},
		{"no layer", put(36, 0), `header out of range: text layers is 0`},
		{"states", put(28, 8), `header out of range: audio state 4 and text state 8 differ`},
		{"heads", put(16, 3), `header out of range: state 4 cannot be shared by 3 and 2 heads`},
		{"mels", put(40, 81), `header out of range: 81 mel bands, Whisper has 80 or 128`},
		{"ftype", put(44, 4), `header out of range: number format 4 is unknown`},
		{"ftype negative", put(44, -999), `header out of range: number format -999 is unknown`},
		{"ftype of other tensors", put(44, 0), `damaged: tensor "decoder.token_embedding.weight" is of type 1, the header calls for 0`},
		{"filters", put(52, 257), `damaged: the mel filters are 80 × 257, they should be 80 × 201`},
		{"words", put(atVocabulary, 60000), `damaged: the vocabulary claims 60000 words of 51864`},
		{"no words", put(atVocabulary, -1), `damaged: the vocabulary claims -1 words of 51864`},
		{"word", put(atFirstWord, 1<<30), `damaged: word 0 of the vocabulary claims 1073741824 bytes`},
		{"rank", put(ln, 5), `damaged at byte 976823: no tensor can begin there`},
		{"name length", put(ln+4, -1), `damaged at byte 976823: no tensor can begin there`},
		{"type", put(ln+8, 1), `damaged: tensor "encoder.ln_post.bias" is of type 1, the header calls for 0`},
		{"shape", put(ln+12, 5), `damaged: tensor "encoder.ln_post.bias" has the shape [5], it should have [4]`},
		{"name", func(b []byte) []byte { copy(b[ln+16:], "decoder"); return b },
			`damaged or not a Whisper model: tensor "decoder.ln_post.bias" is unknown or occurs twice`},
		{"twice", func(b []byte) []byte { return append(b, b[ln:]...) }, `damaged: 52 bytes follow the last tensor`},
		{"trailing byte", func(b []byte) []byte { return append(b, 0) }, `damaged: 1 bytes follow the last tensor`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := inspect(c.change(bytes.Clone(small())))
			var format *ggml.FormatError
			require.ErrorAs(t, err, &format)
			require.EqualError(t, err, c.want)
		})
	}
}

// The number formats that whisper.cpp's quantize tool writes are accepted: the
// sizes are those of ggml's blocks.
func TestInspectQuantised(t *testing.T) {
	for _, q := range []struct{ ftype, kind, elements, bytes int }{
		{2, 2, 32, 18}, {3, 3, 32, 20}, {2007, 8, 32, 34}, {2008, 6, 32, 22}, {2009, 7, 32, 24}, {2012, 12, 256, 144},
	} {
		h := ggml.Header{Vocab: 51864, AudioCtx: 1, AudioState: 256, AudioHead: 1, AudioLayer: 4,
			TextCtx: 1, TextState: 256, TextHead: 1, TextLayer: 1, Mels: 80, FType: q.ftype}
		f := newSparse(h, func(tensor ggml.Tensor) (kind, bytes int) {
			n := 1
			for _, d := range tensor.Dims {
				n *= d
			}
			switch tensor.Kind {
			case ggml.Vector:
				return 0, 4 * n
			case ggml.Conv:
				return 1, 2 * n
			}
			return q.kind, n / q.elements * q.bytes
		})
		m, err := ggml.Inspect(f, f.size)
		require.NoError(t, err)
		require.Equal(t, "tiny", m.Type)
		require.Equal(t, q.ftype, m.FType)
		_, err = ggml.Inspect(f, f.size-1)
		require.Error(t, err)

		h.AudioState, h.TextState = 40, 40
		f = newSparse(h, func(ggml.Tensor) (int, int) { return 0, 0 })
		_, err = ggml.Inspect(f, f.size)
		require.Error(t, err, "40 is no multiple of a block")
	}
}

func TestInspectPassesErrorsOn(t *testing.T) {
	bad := errors.New("bad sector")
	_, err := ggml.Inspect(failingAt{bytes.NewReader(small()), 100_000, bad}, int64(len(small())))
	require.ErrorIs(t, err, bad)
	_, err = ggml.Inspect(bytes.NewReader(small()[:1000]), int64(len(small())))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// failingAt fails for every read that touches a byte from limit on.
type failingAt struct {
	io.ReaderAt
	limit int64
	err   error
}

func (f failingAt) ReadAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > f.limit {
		return 0, f.err
	}
	return f.ReaderAt.ReadAt(p, at)
}

// sparse is a ggml file of which only the fields exist; weights read as zero.
type sparse struct {
	pieces map[int64][]byte // by offset
	size   int64
}

func newSparse(h ggml.Header, store func(ggml.Tensor) (kind, bytes int)) *sparse {
	le := binary.LittleEndian
	var b []byte
	num := func(list ...int) {
		for _, v := range list {
			b = le.AppendUint32(b, uint32(v))
		}
	}
	num(0x67676d6c, h.Vocab, h.AudioCtx, h.AudioState, h.AudioHead, h.AudioLayer,
		h.TextCtx, h.TextState, h.TextHead, h.TextLayer, h.Mels, h.FType, h.Mels, 201)
	b = append(b, make([]byte, h.Mels*201*4)...)
	num(1, 0)
	s := &sparse{pieces: map[int64][]byte{0: b}, size: int64(len(b))}
	for _, t := range h.Tensors() {
		kind, bytes := store(t)
		b = nil
		num(len(t.Dims), len(t.Name), kind)
		num(t.Dims...)
		b = append(b, t.Name...)
		s.pieces[s.size] = b
		s.size += int64(len(b) + bytes)
	}
	return s
}

func (s *sparse) ReadAt(p []byte, at int64) (int, error) {
	clear(p)
	for offset, b := range s.pieces {
		if from := offset - at; from >= 0 && from < int64(len(p)) {
			copy(p[from:], b)
		} else if from < 0 && -from < int64(len(b)) {
			copy(p, b[-from:])
		}
	}
	return len(p), nil
}

func BenchmarkInspect(b *testing.B) {
	r := bytes.NewReader(small())
	for b.Loop() {
		if _, err := ggml.Inspect(r, r.Size()); err != nil {
			b.Fatal(err)
		}
	}
}
