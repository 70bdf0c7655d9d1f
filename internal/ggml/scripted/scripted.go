// Package scripted makes small Whisper models that say exactly what a test tells
// them to, for tests that need the real whisper.cpp but a known answer: any text,
// any bytes, any times, a detected language.
//
// It is for tests only; the models hear nothing.
package scripted

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/ggml"
)

// Script is what the model says in each window, whatever it hears. A window has
// 30 s; the next one begins where the last segment ends, if a second or more is
// left.
type Script struct {
	Language    string    // code that is detected for "auto"; "" is "en"
	Segments    []Segment // none: silence; 200 words at most
	Translation []Segment // said instead when asked to translate; its times must be others
}

// Segment is one segment of the answer. whisper.cpp begins it where the one
// before has ended.
type Segment struct {
	Text   string        // one token a word, the space before it included
	Tokens []string      // instead of Text: the tokens, as any bytes
	End    time.Duration // in the window: at most 30 s, in steps of 20 ms
}

// Ids of the special tokens of a multilingual vocabulary of 51865 entries.
const (
	vocabulary = 51865
	endOfText  = 50257
	start      = 50258 // the languages follow
	translate  = 50358
	transcribe = 50359
	firstTime  = 50364 // <|0.00|>; one for each 20 ms follows
	space      = 220   // whisper.cpp insists on finding it
	firstWord  = 1000  // words of the script; the ids below are left alone
)

// maxTokens is half of the text context, less the prompt.
const maxTokens = 448/2 - 4

// headWidth is half of Whisper's: builds of 2024 crash when there is one head only.
const headWidth = 32

// Write writes a model of about 7 MB that whisper.cpp calls tiny.
//
// The decoder is a table: one hidden unit of its only feed-forward layer for
// each step "after this token comes that one". So a token may be followed by one
// token only, which Write sees to by giving every word an id of its own.
func Write(w io.Writer, s Script) error {
	m := &model{
		random: rand.New(rand.NewPCG(1, 1)),
		words:  make([]string, endOfText),
		next:   firstWord,
		ticks:  make(map[int]bool),
		rows:   make(map[int][]float64),
	}
	for i := range m.words {
		m.words[i] = fmt.Sprintf("~%d", i)
	}
	m.words[space] = " "
	if s.Language == "" {
		s.Language = "en"
	}
	language := slices.Index(strings.Fields(languages), s.Language)
	if language < 0 {
		return fmt.Errorf("scripted: unknown language %q", s.Language)
	}
	m.steps = append(m.steps, step{start, start + 1 + language})
	if err := m.chain(transcribe, s.Segments); err != nil {
		return err
	}
	if err := m.chain(translate, s.Translation); err != nil {
		return err
	}

	// There are four units for each number of the width. A unit answers to one
	// token as long as no two tokens look alike, which random vectors do not.
	m.width = 64 * (1 + len(m.steps)/256)
	for _, step := range m.steps {
		m.row(step.from)
		m.row(step.to)
	}
	h := ggml.Header{Vocab: vocabulary, Mels: 80, FType: 1,
		AudioCtx: 1500, AudioState: m.width, AudioHead: m.width / headWidth, AudioLayer: 4,
		TextCtx: 448, TextState: m.width, TextHead: m.width / headWidth, TextLayer: 1}
	return ggml.Write(w, h, m.words, m.tensor)
}

type step struct{ from, to int }

type model struct {
	random *rand.Rand
	words  []string
	next   int
	ticks  map[int]bool // timestamps in use
	steps  []step
	width  int
	rows   map[int][]float64 // token embeddings; all others are zero
}

// chain appends the steps of one answer. A timestamp token may occur once only,
// so a segment begins 20 ms after the end of the one before.
func (m *model) chain(from int, segments []Segment) error {
	const tick = 20 * time.Millisecond
	begin := len(m.steps)
	to := func(id int) {
		m.steps = append(m.steps, step{from, id})
		from = id
	}
	at := 0
	free := func() {
		for m.ticks[at] {
			at++
		}
		m.ticks[at] = true
		to(firstTime + at)
	}
	for i, s := range segments {
		free()
		end := int(s.End / tick)
		if s.End%tick != 0 || end <= at || end > 1500 || m.ticks[end] {
			return fmt.Errorf("scripted: segment %d cannot end at %v", i, s.End)
		}
		m.ticks[end] = true
		tokens := s.Tokens
		if tokens == nil {
			tokens = split(s.Text)
		}
		for _, token := range tokens {
			if token == "" {
				return fmt.Errorf("scripted: segment %d has an empty token", i)
			}
			m.words[m.next] = token
			to(m.next)
			m.next++
		}
		to(firstTime + end)
		at = end
	}
	if len(segments) == 0 {
		free()
	}
	to(endOfText)
	if n := len(m.steps) - begin; n > maxTokens {
		return fmt.Errorf("scripted: %d tokens, whisper.cpp takes %d from a window", n, maxTokens)
	}
	return nil
}

// split cuts before every space.
func split(text string) []string {
	var tokens []string
	begin := 0
	for i := range len(text) {
		if text[i] == ' ' && i > begin {
			tokens = append(tokens, text[begin:i])
			begin = i
		}
	}
	return append(tokens, text[begin:])
}

const length = 4 // of an embedding

// row returns a token's embedding: a random direction, its mean zero so that
// layer norm leaves the direction alone.
func (m *model) row(id int) []float64 {
	if v, ok := m.rows[id]; ok {
		return v
	}
	v := make([]float64, m.width)
	mean, square := 0.0, 0.0
	for i := range v {
		v[i] = m.random.NormFloat64()
		mean += v[i] / float64(m.width)
	}
	for i := range v {
		v[i] -= mean
		square += v[i] * v[i]
	}
	for i := range v {
		v[i] *= length / math.Sqrt(square)
	}
	m.rows[id] = v
	return v
}

// tensor writes one tensor of the model.
func (m *model) tensor(w io.Writer, t ggml.Tensor) error {
	var value func(i int) float64
	norm := math.Sqrt(float64(m.width)) // what layer norm makes of any vector
	const (
		slope     = 5.0
		threshold = 0.7 // of norm
		strength  = 20.0
	)
	columns := t.Dims[0]
	switch {
	case strings.HasSuffix(t.Name, "ln.weight"), strings.HasSuffix(t.Name, "ln_post.weight"):
		value = func(int) float64 { return 1 }
	case t.Name == "decoder.token_embedding.weight":
		value = func(i int) float64 {
			if row, ok := m.rows[i/columns]; ok {
				return row[i%columns]
			}
			return 0
		}
	case t.Name == "decoder.blocks.0.mlp.0.weight":
		value = func(i int) float64 {
			if unit := i / columns; unit < len(m.steps) {
				return slope / length * m.rows[m.steps[unit].from][i%columns]
			}
			return 0
		}
	case t.Name == "decoder.blocks.0.mlp.0.bias":
		value = func(i int) float64 {
			if i < len(m.steps) {
				return -slope * threshold * norm
			}
			return 0
		}
	case t.Name == "decoder.blocks.0.mlp.2.weight":
		gain := strength / (slope * norm * (1 - threshold))
		value = func(i int) float64 {
			if unit := i % columns; unit < len(m.steps) {
				return gain * m.rows[m.steps[unit].to][i/columns]
			}
			return 0
		}
	case t.Kind == ggml.Vector, strings.HasPrefix(t.Name, "decoder.") && strings.HasSuffix(t.Name, "out.weight"):
		value = func(int) float64 { return 0 } // the decoder's attention says nothing
	default:
		value = func(int) float64 { return 0.02 * m.random.NormFloat64() }
	}

	n := 1
	for _, d := range t.Dims {
		n *= d
	}
	b := make([]byte, 0, 1<<16)
	for i := range n {
		if f := float32(value(i)); t.Kind == ggml.Vector {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
		} else {
			b = binary.LittleEndian.AppendUint16(b, ggml.Half(f))
		}
		if len(b)+4 > cap(b) || i == n-1 {
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	return nil
}

// languages has Whisper's codes in the order of their tokens.
const languages = `
	en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr
	bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn
	yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su`
