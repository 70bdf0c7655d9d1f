package audio_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/holdfast-go/holdfast/internal/audio"
)

// Whatever the bytes are, a header is refused in words or its sound can be read.
func FuzzInspectConvert(f *testing.F) {
	sound := chunk("data", make([]byte, 64))
	for _, b := range [][]byte{
		nil,
		file("RIFF", format(1, 1, 16000, 16), sound),
		file("RIFF", format(1, 2, 44100, 24), sound),
		file("RIFF", chunk("LIST", []byte("INFOabc")), format(3, 1, 8000, 64), sound),
		file("RIFF", extensible(7, 1, 8000, 8, guid), sound, chunk("LIST", nil)),
		file("RF64", ds64(64), format(6, 1, 44101, 8), open("data", 0xffffffff, make([]byte, 64))),
		file("RIFF", format(1, 1, 1<<20, 12), open("data", 0, make([]byte, 63))),
		file("RIFF", format(1, 0, 0, 0), sound),
		file("RIFF", open("fmt ", 1<<31, make([]byte, 40)), sound),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var format *audio.FormatError
		info, err := inspect(b)
		if err != nil {
			if !errors.As(err, &format) {
				t.Fatalf("not a FormatError: %v", err)
			}
			return
		}
		if end := info.DataOffset + info.Frames*int64(info.FrameSize); info.Frames < 1 || info.Duration < 0 || end > int64(len(b)) {
			t.Fatalf("impossible: %+v", info)
		}
		if err := audio.Convert(io.Discard, bytes.NewReader(b), info); err != nil {
			t.Fatalf("%+v: %v", info, err)
		}
	})
}
