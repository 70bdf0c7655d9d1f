package ggml_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/ggml"
)

// Type ids of a CTranslate2 file.
const (
	ctFloat32, ctInt8, ctInt16, ctInt32, ctFloat16 = 0, 1, 2, 3, 4
)

// ctVariable is one entry of a CTranslate2 file.
type ctVariable struct {
	name   string
	dims   []int
	kind   int
	values []float32
}

// ctSmall is a whole Whisper model of the smallest shape: state 4, one layer on
// each side, random weights that float16 holds exactly, key biases zero.
func ctSmall(kind int) []*ctVariable {
	rng := rand.New(rand.NewPCG(1, 2))
	var list []*ctVariable
	add := func(name string, dims ...int) {
		n := 1
		for _, d := range dims {
			n *= d
		}
		v := &ctVariable{name: name, dims: dims, kind: kind, values: make([]float32, n)}
		for i := range v.values {
			v.values[i] = float32(rng.IntN(255)-127) / 64
		}
		list = append(list, v)
	}
	zero := func(from, to int) { clear(list[len(list)-1].values[from:to]) }
	const s = 4
	norm := func(name string) { add(name+"/gamma", s); add(name+"/beta", s) }
	linear := func(name string, in, out int) { add(name+"/weight", out, in); add(name+"/bias", out) }
	side := func(name string, cross bool) {
		norm(name + "/layer_norm")
		norm(name + "/layer_0/ffn/layer_norm")
		linear(name+"/layer_0/ffn/linear_0", s, 4*s)
		linear(name+"/layer_0/ffn/linear_1", 4*s, s)
		norm(name + "/layer_0/self_attention/layer_norm")
		linear(name+"/layer_0/self_attention/linear_0", s, 3*s)
		zero(s, 2*s)
		linear(name+"/layer_0/self_attention/linear_1", s, s)
		if cross {
			norm(name + "/layer_0/attention/layer_norm")
			linear(name+"/layer_0/attention/linear_0", s, s)
			linear(name+"/layer_0/attention/linear_1", s, 2*s)
			zero(0, s)
			linear(name+"/layer_0/attention/linear_2", s, s)
		}
		list = append(list, &ctVariable{name: name + "/num_heads", kind: ctInt16, values: []float32{2}})
	}
	side("decoder", true)
	add("decoder/embeddings/weight", 51864, s)
	add("decoder/position_encodings/encodings", 7, s)
	side("encoder", false)
	add("encoder/position_encodings/encodings", 9, s)
	for i, in := range []int{80, s} {
		add(fmt.Sprintf("encoder/conv%d/weight", i+1), s, in, 3)
		add(fmt.Sprintf("encoder/conv%d/bias", i+1), s)
	}
	return list
}

func ctFind(list []*ctVariable, name string) *ctVariable {
	for _, v := range list {
		if v.name == name {
			return v
		}
	}
	panic("no variable " + name)
}

func ctEncode(list []*ctVariable) []byte {
	le := binary.LittleEndian
	text := func(b []byte, s string) []byte {
		return append(append(le.AppendUint16(b, uint16(len(s)+1)), s...), 0)
	}
	b := le.AppendUint32(nil, 6)
	b = le.AppendUint32(text(b, "WhisperSpec"), 3)
	b = le.AppendUint32(b, uint32(len(list)))
	for _, v := range list {
		b = append(text(b, v.name), byte(len(v.dims)))
		for _, d := range v.dims {
			b = le.AppendUint32(b, uint32(d))
		}
		b = append(b, byte(v.kind))
		width := map[int]int{ctFloat32: 4, ctInt8: 1, ctInt16: 2, ctInt32: 4, ctFloat16: 2}[v.kind]
		b = le.AppendUint32(b, uint32(width*len(v.values)))
		for _, f := range v.values {
			switch v.kind {
			case ctFloat32:
				b = le.AppendUint32(b, math.Float32bits(f))
			case ctInt8:
				b = append(b, byte(int8(f)))
			case ctInt16:
				b = le.AppendUint16(b, uint16(int16(f)))
			case ctInt32:
				b = le.AppendUint32(b, uint32(int32(f)))
			case ctFloat16:
				b = le.AppendUint16(b, half(f))
			}
		}
	}
	b = le.AppendUint32(b, 1)
	return text(text(b, "decoder/projection/weight"), "decoder/embeddings/weight")
}

// half encodes a float16; the value must be zero or normal and exact.
func half(f float32) uint16 {
	if f == 0 {
		return 0
	}
	bits := math.Float32bits(f)
	return uint16(bits>>16)&0x8000 | uint16((bits&0x7fffffff-112<<23)>>13)
}

// vocabulary has the lines of an English (51864) or multilingual vocabulary.txt.
func vocabulary(n int) string {
	end := 50256
	if n > 51864 {
		end++
	}
	var b strings.Builder
	for i := range n {
		switch {
		case i == end:
			b.WriteString("<|endoftext|>\n")
		case i == 1:
			b.WriteString("\u0120\u010a\u0143\u00ff\n") // space, newline, 0xad, 0xff
		case i == 2:
			b.WriteString("\n")
		default:
			fmt.Fprintf(&b, "w%d\n", i)
		}
	}
	return b.String()
}

func convert(model []byte, words string) ([]byte, error) {
	var out bytes.Buffer
	err := ggml.Convert(&out, strings.NewReader(words), bytes.NewReader(model), int64(len(model)))
	return out.Bytes(), err
}

func inspect(b []byte) (ggml.Model, error) { return ggml.Inspect(bytes.NewReader(b), int64(len(b))) }

// small is a whole ggml file, for tests that damage a copy of it.
var small = sync.OnceValue(func() []byte {
	b, err := convert(ctEncode(ctSmall(ctFloat16)), vocabulary(51864))
	if err != nil {
		panic(err)
	}
	return b
})

// ggTensor is one tensor as an independent reader sees it.
type ggTensor struct {
	dims   []int
	kind   int
	values []float32
	offset int // of the entry
}

// ggRead reads a float16 or float32 ggml file without the code under test.
func ggRead(t *testing.T, whole []byte) (words []string, tensors map[string]ggTensor) {
	t.Helper()
	b := whole
	take := func(n int) []byte {
		require.LessOrEqual(t, n, len(b))
		var p []byte
		p, b = b[:n], b[n:]
		return p
	}
	num := func() int { return int(int32(binary.LittleEndian.Uint32(take(4)))) }
	take(48)
	take(num() * num() * 4)
	for range num() {
		words = append(words, string(take(num())))
	}
	tensors = make(map[string]ggTensor)
	for len(b) > 0 {
		g := ggTensor{offset: len(whole) - len(b)}
		rank, length := num(), num()
		g.kind = num()
		n := 1
		for range rank {
			g.dims = append(g.dims, num())
			n *= g.dims[len(g.dims)-1]
		}
		name := string(take(length))
		data := take(n * (4 - 2*g.kind))
		for i := range n {
			if g.kind == 0 {
				g.values = append(g.values, math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
			} else {
				g.values = append(g.values, fromHalf(binary.LittleEndian.Uint16(data[2*i:])))
			}
		}
		tensors[name] = g
	}
	return words, tensors
}

// fromHalf decodes a float16 that half has made.
func fromHalf(h uint16) float32 {
	if h == 0 {
		return 0
	}
	f := float32(math.Ldexp(float64(h&0x3ff|0x400), int(h>>10&0x1f)-25))
	if h&0x8000 != 0 {
		return -f
	}
	return f
}
