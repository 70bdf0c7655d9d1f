package ggml

import (
	"fmt"
	"strconv"
)

// magic is "ggml" as a little-endian number, so the file begins with "lmgg".
const magic = 0x67676d6c

// A Whisper vocabulary has 51864 entries (English only), 51865, or 51866
// (large-v3). whisper.cpp computes the ids of all special tokens from it.
const (
	vocabEnglish = 51864
	vocabLargeV3 = 51866
)

const fftBins = 201 // half of a 400 sample window, and one

// Limits far above any Whisper model. They keep a hostile header from asking
// for memory.
const (
	maxLayers  = 256
	maxState   = 1 << 15
	maxContext = 1 << 16
)

// Header is the fixed beginning of a ggml Whisper file, in its order.
type Header struct {
	Vocab                                       int // entries of the token embedding
	AudioCtx, AudioState, AudioHead, AudioLayer int
	TextCtx, TextState, TextHead, TextLayer     int
	Mels                                        int // 80, or 128 for large-v3
	FType                                       int // 0: float32, 1: float16, else a quantisation
}

func (h *Header) fields() []*int {
	return []*int{&h.Vocab, &h.AudioCtx, &h.AudioState, &h.AudioHead, &h.AudioLayer,
		&h.TextCtx, &h.TextState, &h.TextHead, &h.TextLayer, &h.Mels, &h.FType}
}

func (h Header) multilingual() bool { return h.Vocab > vocabEnglish }

// check refuses a header that no Whisper model has.
func (h Header) check() error {
	if h.Vocab < vocabEnglish || h.Vocab > vocabLargeV3 {
		return refuse("not a Whisper model: its vocabulary has %d entries, Whisper's has %d to %d",
			h.Vocab, vocabEnglish, vocabLargeV3)
	}
	for _, f := range []struct {
		name       string
		value, max int
	}{
		{"audio context", h.AudioCtx, maxContext},
		{"audio state", h.AudioState, maxState},
		{"audio heads", h.AudioHead, h.AudioState},
		{"audio layers", h.AudioLayer, maxLayers},
		{"text context", h.TextCtx, maxContext},
		{"text state", h.TextState, maxState},
		{"text heads", h.TextHead, h.TextState},
		{"text layers", h.TextLayer, maxLayers},
	} {
		if f.value < 1 || f.value > f.max {
			return refuse("header out of range: %s is %d", f.name, f.value)
		}
	}
	if h.AudioState != h.TextState {
		return refuse("header out of range: audio state %d and text state %d differ", h.AudioState, h.TextState)
	}
	if h.AudioState%h.AudioHead != 0 || h.TextState%h.TextHead != 0 {
		return refuse("header out of range: state %d cannot be shared by %d and %d heads", h.AudioState, h.AudioHead, h.TextHead)
	}
	if h.Mels != 80 && h.Mels != 128 {
		return refuse("header out of range: %d mel bands, Whisper has 80 or 128", h.Mels)
	}
	if _, err := h.matrixType(); err != nil {
		return err
	}
	return nil
}

// elementType is a ggml tensor type as the file numbers it.
type elementType int

const (
	float32s elementType = 0
	float16s elementType = 1
)

// block says how a type is stored: n values in size bytes.
type block struct{ n, size int64 }

// blocks has the types that whisper.cpp's quantize tool writes (ggml.c, type_traits).
var blocks = map[elementType]block{
	float32s: {1, 4}, float16s: {1, 2},
	2: {32, 18}, 3: {32, 20}, 6: {32, 22}, 7: {32, 24}, 8: {32, 34}, // q4_0 q4_1 q5_0 q5_1 q8_0
	10: {256, 84}, 11: {256, 110}, 12: {256, 144}, 13: {256, 176}, 14: {256, 210}, // q2_K … q6_K
}

// matrixType is the type of the big tensors. FType counts the versions of the
// quantised formats in thousands (GGML_QNT_VERSION_FACTOR).
func (h Header) matrixType() (elementType, error) {
	if h.FType >= 0 {
		switch f := h.FType % 1000; f {
		case 0, 1, 2, 3: // f32, f16, q4_0, q4_1
			return elementType(f), nil
		case 7: // q8_0
			return 8, nil
		case 8, 9: // q5_0, q5_1
			return elementType(f - 2), nil
		case 10, 11, 12, 13, 14: // q2_K … q6_K
			return elementType(f), nil
		}
	}
	return 0, refuse("header out of range: number format %d is unknown", h.FType)
}

// Kind tells in which number format a tensor is stored.
type Kind int

const (
	Vector Kind = iota // float32 in every file: biases, norms, positions
	Conv               // float16, or float32 in a float32 file
	Matrix             // as the header says
)

// Tensor is one entry of the tensor table.
type Tensor struct {
	Name string
	Dims []int // innermost first, as in the file
	Kind Kind
}

func (t Tensor) elements() int64 {
	n := int64(1)
	for _, d := range t.Dims {
		n *= int64(d)
	}
	return n
}

// elementType is the type that whisper.cpp expects for t in a file with header h.
func (h Header) elementType(t Tensor) elementType {
	m, _ := h.matrixType()
	switch {
	case t.Kind == Vector:
		return float32s
	case t.Kind == Conv && m != float32s:
		return float16s
	}
	return m
}

// Tensors lists every tensor that the header calls for, in the order of the
// published files.
func (h Header) Tensors() []Tensor {
	var list []Tensor
	add := func(kind Kind, name string, dims ...int) {
		list = append(list, Tensor{Name: name, Dims: dims, Kind: kind})
	}
	state := h.AudioState
	norm := func(name string) {
		add(Vector, name+".weight", state)
		add(Vector, name+".bias", state)
	}
	linear := func(name string, in, out int) {
		add(Matrix, name+".weight", in, out)
		add(Vector, name+".bias", out)
	}
	attention := func(name string) {
		norm(name + "_ln")
		linear(name+".query", state, state)
		add(Matrix, name+".key.weight", state, state) // Whisper's key has no bias
		linear(name+".value", state, state)
		linear(name+".out", state, state)
	}
	block := func(name string, cross bool) {
		norm(name + "mlp_ln")
		linear(name+"mlp.0", state, 4*state)
		linear(name+"mlp.2", 4*state, state)
		attention(name + "attn")
		if cross {
			attention(name + "cross_attn")
		}
	}

	add(Vector, "decoder.positional_embedding", state, h.TextCtx)
	add(Vector, "encoder.positional_embedding", state, h.AudioCtx)
	add(Matrix, "decoder.token_embedding.weight", state, h.Vocab)
	for i := range h.TextLayer {
		block("decoder.blocks."+strconv.Itoa(i)+".", true)
	}
	norm("decoder.ln")
	for i, in := range []int{h.Mels, state} {
		name := fmt.Sprintf("encoder.conv%d", i+1)
		add(Conv, name+".weight", 3, in, state)
		add(Vector, name+".bias", 1, state)
	}
	for i := range h.AudioLayer {
		block("encoder.blocks."+strconv.Itoa(i)+".", false)
	}
	norm("encoder.ln_post")
	return list
}
