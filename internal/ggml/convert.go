package ggml

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Convert makes a ggml file for whisper.cpp out of a Whisper model in
// CTranslate2's format (the layout of faster-whisper: model.bin of the given
// size and vocabulary.txt). float16 weights are copied bit for bit, so that
// OpenAI's models come out byte for byte as the published ggml files; float32
// and int8 weights are rounded to float16. It streams: memory stays at some
// megabytes. What is no such model is refused with a *FormatError.
func Convert(w io.Writer, vocabulary io.Reader, model io.ReaderAt, size int64) error {
	vars, err := readVariables(model, size)
	if err != nil {
		return err
	}
	c := &converter{r: model, vars: vars, buffer: make([]byte, 1<<16)}
	h, err := c.header()
	if err != nil {
		return err
	}
	words, err := readVocabulary(vocabulary, h)
	if err != nil {
		return err
	}
	// Every shape is checked before the first byte is written.
	plan := make(map[string]slice)
	for _, t := range h.Tensors() {
		if plan[t.Name], err = c.find(t); err != nil {
			return err
		}
	}
	return Write(w, h, words, func(w io.Writer, t Tensor) error {
		return c.copy(w, plan[t.Name], h.elementType(t))
	})
}

type converter struct {
	r      io.ReaderAt
	vars   map[string]variable
	buffer []byte
}

// header reads the shape of the model off its variables.
func (c *converter) header() (Header, error) {
	h := Header{FType: 1}
	for _, s := range []struct {
		name string
		dims []*int
	}{
		{"decoder/embeddings/weight", []*int{&h.Vocab, &h.TextState}},
		{"encoder/position_encodings/encodings", []*int{&h.AudioCtx, &h.AudioState}},
		{"decoder/position_encodings/encodings", []*int{&h.TextCtx, &h.TextState}},
		{"encoder/conv1/weight", []*int{&h.AudioState, &h.Mels, new(int)}},
	} {
		v, ok := c.vars[s.name]
		if !ok || len(v.dims) != len(s.dims) {
			return h, refuse("not a Whisper model: variable %q is missing or misshapen", s.name)
		}
		for i, d := range s.dims {
			*d = v.dims[i]
		}
	}
	var err error
	if h.AudioHead, err = c.scalar("encoder/num_heads"); err != nil {
		return h, err
	}
	if h.TextHead, err = c.scalar("decoder/num_heads"); err != nil {
		return h, err
	}
	h.AudioLayer, h.TextLayer = c.layers("encoder/layer_"), c.layers("decoder/layer_")
	return h, h.check()
}

func (c *converter) scalar(name string) (int, error) {
	v, ok := c.vars[name]
	if !ok || len(v.dims) != 0 || v.kind != ctInt8 && v.kind != ctInt16 && v.kind != ctInt32 {
		return 0, refuse("not a Whisper model: the number %q is missing", name)
	}
	var b [4]byte
	if err := c.read(b[:v.size], v.offset); err != nil {
		return 0, err
	}
	// Negative numbers come out too large and are refused with the header.
	return int(binary.LittleEndian.Uint32(b[:])), nil
}

// layers counts the layers whose variables start with prefix.
func (c *converter) layers(prefix string) int {
	count := 0
	for name := range c.vars {
		rest, ok := strings.CutPrefix(name, prefix)
		if number, _, cut := strings.Cut(rest, "/"); ok && cut {
			if n, err := strconv.ParseUint(number, 10, 16); err == nil {
				count = max(count, int(n)+1)
			}
		}
	}
	return count
}

// slice is a run of rows of a variable.
type slice struct {
	variable
	row, rows int
	scale     []float32 // int8 only: value = q / scale[row]
}

func (s slice) columns() int64 {
	n := int64(1)
	for _, d := range s.dims[1:] {
		n *= int64(d)
	}
	return n
}

// find looks up and checks the values of one ggml tensor.
func (c *converter) find(t Tensor) (slice, error) {
	name, part, parts := source(t.Name)
	v, ok := c.vars[name]
	if !ok {
		return slice{}, refuse("the model has no variable %q", name)
	}
	dims := slices.Clone(t.Dims)
	slices.Reverse(dims)
	if t.Kind == Vector && dims[len(dims)-1] == 1 {
		dims = dims[:1] // a convolution's bias
	}
	s := slice{variable: v, row: part * dims[0], rows: dims[0]}
	dims[0] *= parts
	if !slices.Equal(dims, v.dims) {
		return s, refuse("variable %q has the shape %v, it should have %v", name, v.dims, dims)
	}
	switch v.kind {
	case ctFloat16, ctFloat32:
	case ctInt8:
		scale, ok := c.vars[name+"_scale"]
		if !ok || scale.kind != ctFloat32 || !slices.Equal(scale.dims, dims[:1]) {
			return s, refuse("int8 variable %q has no float32 scale for each row", name)
		}
		values, err := c.floats(slice{variable: scale, row: s.row, rows: s.rows})
		if err != nil {
			return s, err
		}
		if slices.ContainsFunc(values, func(f float32) bool { return !(f > 0) }) {
			return s, refuse("int8 variable %q has a scale that is not positive", name)
		}
		s.scale = values
	default:
		return s, refuse("variable %q is of type %d; only float16, float32 and int8 models can be converted", name, v.kind)
	}
	if bias, ok := strings.CutSuffix(name, "/weight"); ok && strings.HasSuffix(t.Name, ".key.weight") {
		return s, c.mustBeZero(bias+"/bias", part, parts, t.Dims[1])
	}
	return s, nil
}

// mustBeZero checks the place of a key's bias in a fused variable: ggml has none
// for it.
func (c *converter) mustBeZero(name string, part, parts, rows int) error {
	v, ok := c.vars[name]
	if !ok || !slices.Equal(v.dims, []int{parts * rows}) || v.kind != ctFloat16 && v.kind != ctFloat32 {
		return refuse("the model has no variable %q, or it is misshapen", name)
	}
	values, err := c.floats(slice{variable: v, row: part * rows, rows: rows})
	if err == nil && slices.ContainsFunc(values, func(f float32) bool { return f != 0 }) {
		err = refuse("variable %q: the key's bias is not zero; Whisper has none", name)
	}
	return err
}

// source names the variable that holds a ggml tensor, and which of how many
// equal parts of its rows: CTranslate2 stacks query, key and value.
func source(tensor string) (name string, part, parts int) {
	side, rest, _ := strings.Cut(tensor, ".")
	prefix := side + "/"
	if block, ok := strings.CutPrefix(rest, "blocks."); ok {
		var number string
		number, rest, _ = strings.Cut(block, ".")
		prefix += "layer_" + number + "/"
	}
	module, value := rest, ""
	if i := strings.LastIndexByte(rest, '.'); i >= 0 {
		module, value = rest[:i], rest[i+1:]
	}
	parts = 1
	switch module {
	case "positional_embedding":
		return prefix + "position_encodings/encodings", 0, 1
	case "token_embedding":
		module = "embeddings"
	case "ln", "ln_post":
		module = "layer_norm"
	case "mlp_ln":
		module = "ffn/layer_norm"
	case "mlp.0":
		module = "ffn/linear_0"
	case "mlp.2":
		module = "ffn/linear_1"
	case "attn_ln":
		module = "self_attention/layer_norm"
	case "attn.query":
		module, part, parts = "self_attention/linear_0", 0, 3
	case "attn.key":
		module, part, parts = "self_attention/linear_0", 1, 3
	case "attn.value":
		module, part, parts = "self_attention/linear_0", 2, 3
	case "attn.out":
		module = "self_attention/linear_1"
	case "cross_attn_ln":
		module = "attention/layer_norm"
	case "cross_attn.query":
		module = "attention/linear_0"
	case "cross_attn.key":
		module, part, parts = "attention/linear_1", 0, 2
	case "cross_attn.value":
		module, part, parts = "attention/linear_1", 1, 2
	case "cross_attn.out":
		module = "attention/linear_2"
	}
	if strings.HasSuffix(module, "layer_norm") {
		value = map[string]string{"weight": "gamma", "bias": "beta"}[value]
	}
	return prefix + module + "/" + value, part, parts
}

// floats reads a short slice into memory.
func (c *converter) floats(s slice) ([]float32, error) {
	raw := make([]byte, int64(s.rows)*ctWidth[s.kind])
	if err := c.read(raw, s.offset+int64(s.row)*ctWidth[s.kind]); err != nil {
		return nil, err
	}
	values := make([]float32, s.rows)
	for i := range values {
		if s.kind == ctFloat16 {
			values[i] = halfToFloat(binary.LittleEndian.Uint16(raw[2*i:]))
		} else {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	}
	return values, nil
}

func (c *converter) read(p []byte, offset int64) error {
	if n, err := c.r.ReadAt(p, offset); n < len(p) {
		return fmt.Errorf("read the model at byte %d: %w", offset, err)
	}
	return nil
}

// copy writes the values of s as float16 or float32.
func (c *converter) copy(w io.Writer, s slice, to elementType) error {
	columns, width := s.columns(), ctWidth[s.kind]
	elements := int64(s.rows) * columns
	r := io.NewSectionReader(c.r, s.offset+int64(s.row)*columns*width, elements*width)
	out := make([]byte, 0, 2*len(c.buffer)*2)
	for done := int64(0); done < elements; {
		n := min(elements-done, int64(len(c.buffer))/width)
		raw := c.buffer[:n*width]
		if _, err := io.ReadFull(r, raw); err != nil {
			return fmt.Errorf("read the model: %w", err)
		}
		if s.kind == ctFloat16 && to == float16s {
			out = append(out[:0], raw...)
		} else {
			out = out[:0]
			for i := range n {
				var f float32
				switch s.kind {
				case ctFloat16:
					f = halfToFloat(binary.LittleEndian.Uint16(raw[2*i:]))
				case ctFloat32:
					f = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
				case ctInt8:
					f = float32(int8(raw[i])) / s.scale[(done+i)/columns]
				}
				if to == float32s {
					out = binary.LittleEndian.AppendUint32(out, math.Float32bits(f))
					continue
				}
				half := Half(f)
				if half&0x7c00 == 0x7c00 {
					return refuse("a weight of %g does not fit into float16", f)
				}
				out = binary.LittleEndian.AppendUint16(out, half)
			}
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
		done += n
	}
	return nil
}
