package ggml_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/holdfast-go/holdfast/internal/ggml"
)

// patch writes over a copy of whole at offset and cuts the end off; so a small
// input reaches every field of a file of half a megabyte.
func patch(whole []byte, offset uint32, with []byte, cut uint32) []byte {
	b := bytes.Clone(whole)
	copy(b[int(offset)%len(b):], with)
	return b[:len(b)-int(cut)%len(b)]
}

func FuzzInspect(f *testing.F) {
	f.Add(uint32(0), []byte{}, uint32(0))
	f.Add(uint32(4), []byte{0, 0x20, 0, 0}, uint32(0))
	f.Add(uint32(20), []byte{255, 0, 0, 0}, uint32(0))                                      // layers
	f.Add(uint32(44), []byte{0xd7, 7}, uint32(0))                                           // number format
	f.Add(uint32(48), []byte{128, 0, 0, 0, 201, 0, 0, 0}, uint32(0))                        // mel bands
	f.Add(uint32(atVocabulary), []byte{255, 255, 255, 127}, uint32(1))                      // words
	f.Add(uint32(atFirstWord), []byte{0, 4, 0, 0}, uint32(0))                               // first word
	f.Add(uint32(len(small())-52), []byte{4, 0, 0, 0, 255, 255, 255, 255, 1}, uint32(0))    // last tensor
	f.Add(uint32(len(small())-52), []byte{1, 0, 0, 0, 20, 0, 0, 0, 1}, uint32(8))           // its type
	f.Add(uint32(len(small())-40), []byte{255, 255, 255, 255, 255, 255, 255}, uint32(1000)) // its shape
	f.Fuzz(func(t *testing.T, offset uint32, with []byte, cut uint32) {
		b := patch(small(), offset, with, cut)
		_, err := inspect(b)
		var format *ggml.FormatError
		if err != nil && !errors.As(err, &format) {
			t.Fatalf("not a FormatError: %v", err)
		}
		if err == nil && len(b) != len(small()) {
			t.Fatal("a shorter file was accepted")
		}
	})
}

// What can be converted is a file that Inspect accepts.
func FuzzConvert(f *testing.F) {
	model, words := ctEncode(ctSmall(ctFloat16)), vocabulary(51864)
	f.Add(uint32(0), []byte{}, uint32(0))
	f.Add(uint32(22), []byte{255, 255, 255, 255}, uint32(0))
	f.Add(uint32(26), []byte{0, 0}, uint32(0))                                // a name of no bytes
	f.Add(uint32(27), []byte("\xff\xff"), uint32(0))                          // a name of 64 KiB
	f.Add(uint32(55), []byte{4, 255, 255, 255, 255, 255, 255}, uint32(0))     // rank and dimensions
	f.Add(uint32(55), []byte{1, 0, 0, 0, 0}, uint32(0))                       // a dimension of zero
	f.Add(uint32(60), []byte{9}, uint32(0))                                   // type
	f.Add(uint32(len(model)-70), []byte{255, 255}, uint32(0))                 // aliases
	f.Add(uint32(len(model)-70), []byte{255, 255, 255, 255, 255}, uint32(90)) // a value before them
	f.Fuzz(func(t *testing.T, offset uint32, with []byte, cut uint32) {
		out, err := convert(patch(model, offset, with, cut), words)
		var format *ggml.FormatError
		switch {
		case err == nil:
			if _, err := inspect(out); err != nil {
				t.Fatalf("converted, but: %v", err)
			}
		case !errors.As(err, &format):
			t.Fatalf("not a FormatError: %v", err)
		}
	})
}
