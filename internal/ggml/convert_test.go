package ggml_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/ggml"
)

func TestConvertSmall(t *testing.T) {
	for _, kind := range []int{ctFloat16, ctFloat32} {
		model := ctSmall(kind)
		out, err := convert(ctEncode(model), vocabulary(51864))
		require.NoError(t, err)

		m, err := inspect(out)
		require.NoError(t, err)
		require.Equal(t, ggml.Model{
			Header: ggml.Header{Vocab: 51864, AudioCtx: 9, AudioState: 4, AudioHead: 2, AudioLayer: 1,
				TextCtx: 7, TextState: 4, TextHead: 2, TextLayer: 1, Mels: 80, FType: 1},
			Type: "unknown",
		}, m)

		words, tensors := ggRead(t, out)
		require.Len(t, words, 50257)
		require.Equal(t, []string{"w0", " \n\xad\xff", "", "w3"}, words[:4])
		require.Equal(t, "<|endoftext|>", words[50256])
		require.Len(t, tensors, 3+2+4+2+15+24)

		equal := func(tensor, variable string, from, to int, dims ...int) {
			require.Equal(t, ctFind(model, variable).values[from:to], tensors[tensor].values, tensor)
			require.Equal(t, dims, tensors[tensor].dims, tensor)
		}
		self, cross := "decoder/layer_0/self_attention/", "decoder/layer_0/attention/"
		equal("decoder.token_embedding.weight", "decoder/embeddings/weight", 0, 4*51864, 4, 51864)
		equal("encoder.positional_embedding", "encoder/position_encodings/encodings", 0, 36, 4, 9)
		equal("encoder.conv1.weight", "encoder/conv1/weight", 0, 960, 3, 80, 4)
		equal("encoder.conv1.bias", "encoder/conv1/bias", 0, 4, 1, 4)
		equal("decoder.blocks.0.attn.query.weight", self+"linear_0/weight", 0, 16, 4, 4)
		equal("decoder.blocks.0.attn.key.weight", self+"linear_0/weight", 16, 32, 4, 4)
		equal("decoder.blocks.0.attn.value.weight", self+"linear_0/weight", 32, 48, 4, 4)
		equal("decoder.blocks.0.attn.value.bias", self+"linear_0/bias", 8, 12, 4)
		equal("decoder.blocks.0.cross_attn.query.weight", cross+"linear_0/weight", 0, 16, 4, 4)
		equal("decoder.blocks.0.cross_attn.key.weight", cross+"linear_1/weight", 0, 16, 4, 4)
		equal("decoder.blocks.0.cross_attn.value.weight", cross+"linear_1/weight", 16, 32, 4, 4)
		equal("decoder.blocks.0.cross_attn.value.bias", cross+"linear_1/bias", 4, 8, 4)
		equal("decoder.blocks.0.cross_attn.out.bias", cross+"linear_2/bias", 0, 4, 4)
		equal("decoder.blocks.0.mlp.0.weight", "decoder/layer_0/ffn/linear_0/weight", 0, 64, 4, 16)
		equal("decoder.blocks.0.mlp.2.weight", "decoder/layer_0/ffn/linear_1/weight", 0, 64, 16, 4)
		equal("encoder.ln_post.weight", "encoder/layer_norm/gamma", 0, 4, 4)
		equal("encoder.blocks.0.attn_ln.bias", "encoder/layer_0/self_attention/layer_norm/beta", 0, 4, 4)
	}
}

// An int8 model stores q = w × scale with one scale a row.
func TestConvertInt8(t *testing.T) {
	model := ctSmall(ctFloat32)
	for _, v := range model {
		if !strings.HasSuffix(v.name, "/weight") {
			continue
		}
		scale := &ctVariable{name: v.name + "_scale", dims: v.dims[:1], kind: ctFloat32}
		columns := len(v.values) / v.dims[0]
		for row := range v.dims[0] {
			scale.values = append(scale.values, float32(int(64)<<(row%3)))
			for i := range columns {
				q := &v.values[row*columns+i]
				*q = float32(math.Round(float64(*q * 64)))
			}
		}
		v.kind = ctInt8
		model = append(model, scale)
	}
	out, err := convert(ctEncode(model), vocabulary(51864))
	require.NoError(t, err)
	_, err = inspect(out)
	require.NoError(t, err)
	_, tensors := ggRead(t, out)
	q := ctFind(model, "decoder/layer_0/self_attention/linear_0/weight").values
	for i, got := range tensors["decoder.blocks.0.attn.value.weight"].values {
		row := 8 + i/4
		require.Equal(t, q[4*row+i%4]/float32(int(64)<<(row%3)), got)
	}

	ctFind(model, "encoder/conv1/weight_scale").values[2] = 0
	_, err = convert(ctEncode(model), vocabulary(51864))
	require.EqualError(t, err, `int8 variable "encoder/conv1/weight" has a scale that is not positive`)
	ctFind(model, "encoder/conv1/weight_scale").name = "elsewhere"
	_, err = convert(ctEncode(model), vocabulary(51864))
	require.EqualError(t, err, `int8 variable "encoder/conv1/weight" has no float32 scale for each row`)
}

func TestMelFilters(t *testing.T) {
	for mels, want := range map[int]string{
		80:  "85818f156f7e189453901a515e4726d270d307f976e161cf9403e8caab405498",
		128: "e399c2d72d2f7375e503c296d8453cefcc0c1e47a9c1a0a09e0d70f59c820f20",
	} {
		var b bytes.Buffer
		stop := errors.New("no tensors")
		h := ggml.Header{Vocab: 51866, AudioCtx: 1, AudioState: 1, AudioHead: 1, AudioLayer: 1,
			TextCtx: 1, TextState: 1, TextHead: 1, TextLayer: 1, Mels: mels, FType: 0}
		// The buffer inside Write is flushed by many words.
		err := ggml.Write(&b, h, make([]string, 1<<15), func(io.Writer, ggml.Tensor) error { return stop })
		require.ErrorIs(t, err, stop)
		sum := sha256.Sum256(b.Bytes()[56 : 56+mels*201*4])
		require.Equal(t, want, hex.EncodeToString(sum[:]))
	}
}

func TestConvertRefuses(t *testing.T) {
	words := vocabulary(51864)
	for _, c := range []struct {
		name   string
		change func(map[string]*ctVariable)
		words  string
		want   string
	}{
		{name: "missing", change: func(m map[string]*ctVariable) { m["encoder/layer_norm/beta"].name = "x" },
			want: `the model has no variable "encoder/layer_norm/beta"`},
		{name: "no embeddings", change: func(m map[string]*ctVariable) { m["decoder/embeddings/weight"].name = "x" },
			want: `not a Whisper model: variable "decoder/embeddings/weight" is missing or misshapen`},
		{name: "no heads", change: func(m map[string]*ctVariable) { m["encoder/num_heads"].name = "x" },
			want: `not a Whisper model: the number "encoder/num_heads" is missing`},
		{name: "heads 3", change: func(m map[string]*ctVariable) { m["encoder/num_heads"].values[0] = 3 },
			want: `header out of range: state 4 cannot be shared by 3 and 2 heads`},
		{name: "heads -1", change: func(m map[string]*ctVariable) { m["decoder/num_heads"].values[0] = -1 },
			want: `header out of range: text heads is 65535`},
		{name: "layer 299", change: func(m map[string]*ctVariable) { m["decoder/layer_norm/beta"].name = "decoder/layer_299/x" },
			want: `header out of range: text layers is 300`},
		{name: "key bias", change: func(m map[string]*ctVariable) {
			m["decoder/layer_0/attention/linear_1/bias"].values[3] = 1
		}, want: `variable "decoder/layer_0/attention/linear_1/bias": the key's bias is not zero; Whisper has none`},
		{name: "shape", change: func(m map[string]*ctVariable) {
			m["decoder/layer_0/ffn/linear_0/weight"].dims = []int{4, 16}
		}, want: `variable "decoder/layer_0/ffn/linear_0/weight" has the shape [4 16], it should have [16 4]`},
		{name: "int16", change: func(m map[string]*ctVariable) { m["encoder/conv1/weight"].kind = ctInt16 },
			want: `variable "encoder/conv1/weight" is of type 2; only float16, float32 and int8 models can be converted`},
		{name: "twice", change: func(m map[string]*ctVariable) { m["encoder/conv1/bias"].name = "encoder/conv2/bias" },
			want: `damaged: variable "encoder/conv2/bias" occurs twice`},
		{name: "overflow", change: func(m map[string]*ctVariable) {
			m["encoder/conv1/weight"].kind = ctFloat32
			m["encoder/conv1/weight"].values[5] = 1e6
		}, want: `a weight of 1e+06 does not fit into float16`},
		{name: "long name", change: func(m map[string]*ctVariable) { m["encoder/conv1/bias"].name = strings.Repeat("x", 600) },
			want: `damaged: a name of 601 bytes in the table of variables`},
		{name: "short vocabulary", words: "a\nb\n", want: `the vocabulary has 2 lines, the model has 51864 tokens`},
		{name: "no end of text", words: strings.Replace(words, "<|end", "<|and", 1),
			want: `the vocabulary has <|endoftext|> as token -1, Whisper has it as 50256`},
		{name: "foreign alphabet", words: strings.Replace(words, "w3\n", "日\n", 1),
			want: `line 4 of the vocabulary: '日' is not in the byte alphabet`},
		{name: "huge vocabulary", words: strings.Repeat("x", 17<<20), want: `the vocabulary is larger than 16777216 bytes`},
		{name: "huge word", words: strings.Replace(words, "w3\n", strings.Repeat("x", 1025)+"\n", 1),
			want: `line 4 of the vocabulary has 1025 bytes`},
	} {
		t.Run(c.name, func(t *testing.T) {
			model := ctSmall(ctFloat16)
			byName := make(map[string]*ctVariable)
			for _, v := range model {
				byName[v.name] = v
			}
			if c.change != nil {
				c.change(byName)
			}
			if c.words == "" {
				c.words = words
			}
			_, err := convert(ctEncode(model), c.words)
			var format *ggml.FormatError
			require.ErrorAs(t, err, &format)
			require.EqualError(t, err, c.want)
		})
	}
}

func TestConvertCutAnywhere(t *testing.T) {
	model := ctEncode(ctSmall(ctFloat16))
	words := vocabulary(51864)
	for n := 0; n < len(model); n += 1 + n/50 {
		_, err := convert(model[:n], words)
		var format *ggml.FormatError
		require.ErrorAs(t, err, &format, "cut at %d", n)
	}
	_, err := convert(append(model, 0), words)
	require.EqualError(t, err, "damaged: 1 bytes follow the end of the model")
}

func TestConvertPassesErrorsOn(t *testing.T) {
	model := ctEncode(ctSmall(ctFloat16))
	full := errors.New("disk full")
	err := ggml.Convert(failing{full}, strings.NewReader(vocabulary(51864)), bytes.NewReader(model), int64(len(model)))
	require.ErrorIs(t, err, full)
	err = ggml.Convert(io.Discard, failing{full}, bytes.NewReader(model), int64(len(model)))
	require.ErrorIs(t, err, full)
	// A file that shrinks under the reader.
	err = ggml.Convert(io.Discard, strings.NewReader(""), bytes.NewReader(model[:20]), int64(len(model)))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
func (f failing) Read([]byte) (int, error)  { return 0, f.err }
