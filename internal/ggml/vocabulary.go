package ggml

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	endOfText     = "<|endoftext|>"
	maxVocabulary = 16 << 20 // bytes; real ones have 0.4 MiB
	maxWord       = 1024     // bytes; the longest real one has 128
)

// readVocabulary reads vocabulary.txt of a CTranslate2 model, one token a line
// in the byte alphabet of GPT-2, and returns the words that a ggml file names:
// all before the first special token, as raw bytes.
func readVocabulary(r io.Reader, h Header) ([]string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxVocabulary+1))
	if err != nil {
		return nil, fmt.Errorf("read the vocabulary: %w", err)
	}
	if len(text) > maxVocabulary {
		return nil, refuse("the vocabulary is larger than %d bytes", maxVocabulary)
	}
	// Only \n ends a line: U+0085 and U+2028 occur inside tokens of other alphabets.
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != h.Vocab {
		return nil, refuse("the vocabulary has %d lines, the model has %d tokens", len(lines), h.Vocab)
	}
	want := 50256
	if h.multilingual() {
		want = 50257
	}
	end := slices.Index(lines, endOfText)
	if end != want {
		return nil, refuse("the vocabulary has %s as token %d, Whisper has it as %d", endOfText, end, want)
	}
	alphabet := byteAlphabet()
	words := make([]string, 0, end+1)
	var word []byte
	for i, line := range lines[:end] {
		word = word[:0]
		for _, c := range line {
			b, ok := alphabet[c]
			if !ok {
				return nil, refuse("line %d of the vocabulary: %q is not in the byte alphabet", i+1, c)
			}
			word = append(word, b)
		}
		if len(word) > maxWord {
			return nil, refuse("line %d of the vocabulary has %d bytes", i+1, len(word))
		}
		words = append(words, string(word))
	}
	if !h.multilingual() {
		words = append(words, endOfText) // the published .en files name it, the others do not
	}
	return words, nil
}

// Words reads the vocabulary of a whole model file, as Inspect accepts it: what
// each of the ordinary tokens says, as raw bytes.
func Words(r io.ReaderAt, size int64) ([]string, error) {
	c := &cursor{r: r, size: size, place: "the vocabulary"}
	c.skip(int64(4 * (1 + len(new(Header).fields()))))
	rows, columns := c.i32(), c.i32()
	c.skip(4 * int64(rows) * int64(columns))
	count := c.i32()
	var words []string
	for i := 0; i < count && c.err == nil; i++ {
		n := c.i32()
		if c.err == nil && (n < 0 || n > maxWord) {
			return nil, refuse("damaged: word %d of the vocabulary claims %d bytes", i, n)
		}
		words = append(words, string(c.bytes(n)))
	}
	return words, c.err
}

// byteAlphabet maps the stand-ins of GPT-2's byte-level encoding to bytes:
// printable Latin-1 stands for itself, the other bytes are U+0100, U+0101, … in
// their order (bytes_to_unicode in OpenAI's encoder.py).
func byteAlphabet() map[rune]byte {
	alphabet := make(map[rune]byte, 256)
	next := rune(0x100)
	for b := range rune(256) {
		switch {
		case b >= 0x21 && b <= 0x7e, b >= 0xa1 && b <= 0xac, b >= 0xae:
			alphabet[b] = byte(b)
		default:
			alphabet[next] = byte(b)
			next++
		}
	}
	return alphabet
}
