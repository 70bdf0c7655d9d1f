package audio_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/audio"
)

var le = binary.LittleEndian

// chunk is a RIFF chunk, padded to an even length.
func chunk(id string, data []byte) []byte {
	b := append(le.AppendUint32([]byte(id), uint32(len(data))), data...)
	return append(b, make([]byte, len(data)%2)...)
}

// open is a chunk whose length the writer did not know, or got wrong.
func open(id string, length uint32, data []byte) []byte {
	return append(le.AppendUint32([]byte(id), length), data...)
}

func file(kind string, chunks ...[]byte) []byte {
	body := bytes.Join(chunks, nil)
	return append(append(le.AppendUint32([]byte(kind), uint32(4+len(body))), "WAVE"...), body...)
}

func format(tag, channels, rate, bits int, extra ...byte) []byte {
	frame := channels * ((bits + 7) / 8)
	b := le.AppendUint16(nil, uint16(tag))
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*frame))
	b = le.AppendUint16(b, uint16(frame))
	return chunk("fmt ", append(le.AppendUint16(b, uint16(bits)), extra...))
}

const guid = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

func extensible(tag, channels, rate, bits int, rest string) []byte {
	extra := le.AppendUint16([]byte{22, 0}, uint16(bits))
	extra = le.AppendUint32(extra, 3)
	return format(0xfffe, channels, rate, bits, append(le.AppendUint16(extra, uint16(tag)), rest...)...)
}

// ds64 is the chunk of RF64 with the true sizes.
func ds64(data uint64) []byte {
	b := le.AppendUint64(le.AppendUint64(nil, 0), data)
	return chunk("ds64", append(b, make([]byte, 12)...))
}

func inspect(b []byte) (audio.Info, error) {
	return audio.Inspect(bytes.NewReader(b), int64(len(b)))
}

func TestInspect(t *testing.T) {
	mono := format(1, 1, 16000, 16)
	second := make([]byte, 32000)
	data := chunk("data", second)
	for _, c := range []struct {
		name string
		file []byte
		want audio.Info
		odd  bool // not ready for an engine
	}{
		{"PCM 16", file("RIFF", mono, data), audio.Info{}, false},
		{"LIST before", file("RIFF", mono, chunk("LIST", []byte("INFOISFT\x03\x00\x00\x00me\x00")), data), audio.Info{DataOffset: 68}, false},
		{"LIST after", file("RIFF", mono, data, chunk("LIST", []byte("INFO"))), audio.Info{}, false},
		{"odd chunk", file("RIFF", chunk("junk", []byte("abc")), mono, data), audio.Info{DataOffset: 56}, false},
		{"bext, JUNK", file("RIFF", chunk("bext", make([]byte, 602)), chunk("JUNK", make([]byte, 28)), mono, data),
			audio.Info{DataOffset: 690}, false},
		{"wrong RIFF size", append([]byte("RIFF\x00\x00\x00\x00"), file("RIFF", mono, data)[8:]...), audio.Info{}, false},
		{"fmt of 18 bytes", file("RIFF", format(1, 1, 16000, 16, 0, 0), data), audio.Info{DataOffset: 46}, false},
		{"half a frame more", file("RIFF", mono, chunk("data", second[:31999])), audio.Info{Frames: 15999, Duration: 999937500}, false},

		{"PCM 8", file("RIFF", format(1, 1, 32000, 8), data), audio.Info{SampleRate: 32000, BitsPerSample: 8, FrameSize: 1, Frames: 32000}, true},
		{"PCM 12", file("RIFF", format(1, 1, 16000, 12), data), audio.Info{BitsPerSample: 12}, true},
		{"PCM 24 stereo", file("RIFF", format(1, 2, 8000, 24), chunk("data", make([]byte, 48000))),
			audio.Info{Channels: 2, SampleRate: 8000, BitsPerSample: 24, FrameSize: 6, Frames: 8000}, true},
		{"PCM 32", file("RIFF", format(1, 1, 8000, 32), data),
			audio.Info{SampleRate: 8000, BitsPerSample: 32, FrameSize: 4, Frames: 8000}, true},
		{"float 32", file("RIFF", format(3, 1, 8000, 32), data),
			audio.Info{Format: audio.Float, SampleRate: 8000, BitsPerSample: 32, FrameSize: 4, Frames: 8000}, true},
		{"float 64", file("RIFF", format(3, 1, 4000, 64, 0, 0), chunk("fact", make([]byte, 4)), data),
			audio.Info{Format: audio.Float, SampleRate: 4000, BitsPerSample: 64, FrameSize: 8, Frames: 4000, DataOffset: 58}, true},
		{"A-law", file("RIFF", format(6, 1, 32000, 8), data),
			audio.Info{Format: audio.ALaw, SampleRate: 32000, BitsPerSample: 8, FrameSize: 1, Frames: 32000}, true},
		{"µ-law", file("RIFF", format(7, 2, 16000, 8), data),
			audio.Info{Format: audio.MuLaw, Channels: 2, BitsPerSample: 8}, true},
		{"EXTENSIBLE PCM", file("RIFF", extensible(1, 1, 16000, 16, guid), data), audio.Info{DataOffset: 68}, true},
		{"EXTENSIBLE float", file("RIFF", extensible(3, 1, 8000, 32, guid), data),
			audio.Info{Format: audio.Float, SampleRate: 8000, BitsPerSample: 32, FrameSize: 4, Frames: 8000, DataOffset: 68}, true},
		{"RF64", file("RF64", ds64(32000), mono, open("data", math.MaxUint32, second)), audio.Info{DataOffset: 80}, true},
		{"BW64", file("BW64", ds64(16000), mono, open("data", math.MaxUint32, second)),
			audio.Info{DataOffset: 80, Frames: 8000, Duration: 500 * time.Millisecond}, true},
		{"RF64 with a small size", file("RF64", ds64(0), mono, data), audio.Info{DataOffset: 80}, true},
		{"RF64 streamed", file("RF64", ds64(math.MaxUint64), mono, open("data", math.MaxUint32, second)),
			audio.Info{DataOffset: 80, Streamed: true}, true},
		{"RF64 without ds64", file("RF64", mono, open("data", math.MaxUint32, second)), audio.Info{Streamed: true}, true},
		{"RF64 truncated", file("RF64", ds64(1<<40), mono, open("data", math.MaxUint32, second)),
			audio.Info{DataOffset: 80, Truncated: true}, true},

		{"crashed recorder", file("RIFF", mono, open("data", 0, second)), audio.Info{Streamed: true}, true},
		{"ffmpeg pipe", file("RIFF", mono, chunk("LIST", []byte("INFO")), open("data", math.MaxUint32, second)),
			audio.Info{DataOffset: 56, Streamed: true}, true},
		{"sox pipe", file("RIFF", mono, open("data", 0x7ffff000, second)), audio.Info{Streamed: true}, true},
		{"truncated", file("RIFF", mono, data)[:44+16000],
			audio.Info{Frames: 8000, Duration: 500 * time.Millisecond, Truncated: true}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := audio.Info{Format: audio.PCM, Channels: 1, SampleRate: 16000, BitsPerSample: 16, FrameSize: 2,
				Frames: 16000, Duration: time.Second, DataOffset: 44}
			set(&want.Format, c.want.Format)
			set(&want.Channels, c.want.Channels)
			set(&want.SampleRate, c.want.SampleRate)
			set(&want.BitsPerSample, c.want.BitsPerSample)
			set(&want.FrameSize, c.want.FrameSize)
			set(&want.Frames, c.want.Frames)
			set(&want.Duration, c.want.Duration)
			set(&want.DataOffset, c.want.DataOffset)
			want.Streamed, want.Truncated = c.want.Streamed, c.want.Truncated

			info, err := inspect(c.file)
			require.NoError(t, err)
			require.Equal(t, !c.odd, info.Ready())
			require.EqualExportedValues(t, want, info)
		})
	}
}

func set[T comparable](to *T, v T) {
	var zero T
	if v != zero {
		*to = v
	}
}

func TestInspectRefuses(t *testing.T) {
	mono := format(1, 1, 16000, 16)
	data := chunk("data", make([]byte, 100))
	many := bytes.Repeat(chunk("junk", nil), 2000)
	for _, c := range []struct {
		name, file string
		want       string
		foreign    bool
	}{
		{"empty", "", "empty file", false},
		{"HTML", "\n<!DOCTYPE html><title>404</title>", "not a WAV file: looks like HTML", false},
		{"text", "Hello, this is not sound. Grüße", "not a WAV file: looks like text", false},
		{"text cut in a letter", strings.Repeat("x", 62) + "日本", "not a WAV file: looks like text", false},
		{"LFS", "version https://git-lfs.github.com/spec/v1\n", "not a WAV file: a Git LFS pointer, the sound itself was not downloaded", false},
		{"zeros", strings.Repeat("\x00", 4096), "not a WAV file: only zero bytes; its content was lost", false},
		{"zip", "PK\x03\x04....", "not a WAV file: looks like a zip archive", false},
		{"MP3", "ID3\x04\x00", "not a WAV file: looks like MP3", true},
		{"bare MP3", "\xff\xfb\x90\x00", "not a WAV file: looks like MP3", true},
		{"FLAC", "fLaC\x00", "not a WAV file: looks like FLAC", true},
		{"M4A", "\x00\x00\x00\x20ftypM4A ", "not a WAV file: looks like MP4 or M4A", true},
		{"Opus", "OggS\x00", "not a WAV file: looks like Ogg", true},
		{"AVI", "RIFF\x00\x00\x00\x00AVI LIST", "not a WAV file: looks like AVI video", true},
		{"RIFX", "RIFX\x00\x00\x00\x00WAVE", "unsupported: a big-endian WAV file (RIFX)", true},
		{"noise", "\x8f\x01\x02\x03\x04\x05\x06\x07\x08", `not a WAV file: begins with "\x8f\x01\x02\x03\x04\x05\x06\a"`, true},
		{"other RIFF", "RIFF\x00\x00\x00\x00WEBPVP8 ", `not a WAV file: RIFF with "WEBP" inside`, false},
		{"cut in the magic", "RIFF\x00\x00", "cut short: 6 bytes of a WAV file", false},
		{"header alone", string(file("RIFF")), "no sound: the WAV file ends at byte 12 without a data chunk", false},
		{"no data chunk", string(file("RIFF", mono)), "no sound: the WAV file ends at byte 36 without a data chunk", false},
		{"empty data", string(file("RIFF", mono, chunk("data", nil))), "no sound: the data chunk is empty", false},
		{"empty data, LIST", string(file("RIFF", mono, chunk("data", nil), chunk("LIST", []byte("INFOx")))), "no sound: the data chunk is empty", false},
		{"cut in the first frame", string(file("RIFF", mono, data)[:45]), "no sound: the file ends where the sound would begin", false},
		{"data before fmt", string(file("RIFF", data, mono)), "damaged: the data chunk comes before the fmt chunk", false},
		{"two fmt", string(file("RIFF", mono, mono, data)), "damaged: two fmt chunks", false},
		{"huge fmt", string(file("RIFF", open("fmt ", 1<<31, make([]byte, 100)))),
			`damaged or cut short: chunk "fmt " claims 2147483648 bytes, 100 are left in the file`, false},
		{"short fmt", string(file("RIFF", chunk("fmt ", make([]byte, 14)), data)), "damaged: the fmt chunk has 14 bytes", false},
		{"huge LIST", string(file("RIFF", mono, open("LIST", math.MaxUint32, make([]byte, 100)))),
			`damaged or cut short: chunk "LIST" claims 4294967295 bytes, 100 are left in the file`, false},
		{"short ds64", string(file("RF64", chunk("ds64", make([]byte, 8)), mono, data)), "damaged: the ds64 chunk has 8 bytes", false},
		{"many chunks", string(file("RIFF", mono, many, data)), "damaged: more than 1024 chunks before the sound", false},
		{"no channels", string(file("RIFF", format(1, 0, 16000, 16), data)), "damaged: the fmt chunk claims 0 channels", false},
		{"rate 0", string(file("RIFF", format(1, 1, 0, 16), data)), "damaged: the fmt chunk claims a sample rate of 0 Hz", false},
		{"rate 2 GHz", string(file("RIFF", format(1, 1, 2e9, 16), data)), "damaged: the fmt chunk claims a sample rate of 2000000000 Hz", false},
		{"bits 0", string(file("RIFF", format(1, 1, 16000, 0), data)), "damaged: the fmt chunk claims 0 bits for a PCM sample", false},
		{"bits 48", string(file("RIFF", format(1, 1, 16000, 48), data)), "damaged: the fmt chunk claims 48 bits for a PCM sample", false},
		{"float 16", string(file("RIFF", format(3, 1, 16000, 16), data)), "damaged: the fmt chunk claims 16 bits for a float sample", false},
		{"block size", strings.Replace(string(file("RIFF", mono, data)), "\x02\x00\x10\x00", "\x04\x00\x10\x00", 1),
			"damaged: the fmt chunk claims 4 bytes for 1 samples of 16 bits", false},
		{"MP3 inside", string(file("RIFF", format(0x55, 1, 16000, 16), data)), "unsupported: a WAV file with MP3 inside", true},
		{"ADPCM", string(file("RIFF", format(0x11, 1, 16000, 4), data)), "unsupported: a WAV file with IMA ADPCM inside", true},
		{"codec", string(file("RIFF", format(0x1234, 1, 16000, 4), data)), "unsupported: a WAV file with codec 0x1234 inside", true},
		{"ambisonic", string(file("RIFF", extensible(1, 4, 16000, 16, "\x00\x00\x21\x07\xd3\x11\x86\x44\xc8\xc1\xca\x00\x00\x00"), data)),
			"unsupported: an EXTENSIBLE WAV file of an unknown kind", true},
		{"EXTENSIBLE too short", string(file("RIFF", format(0xfffe, 1, 16000, 16), data)),
			"unsupported: an EXTENSIBLE WAV file of an unknown kind", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := inspect([]byte(c.file))
			var format *audio.FormatError
			require.ErrorAs(t, err, &format)
			require.EqualError(t, err, c.want)
			require.Equal(t, c.foreign, format.Foreign)
		})
	}
}

// Cut anywhere, a file is refused, or what is left of it is told.
func TestInspectCutAnywhere(t *testing.T) {
	whole := file("RIFF", chunk("bext", make([]byte, 31)), extensible(1, 2, 48000, 24, guid),
		chunk("LIST", []byte("INFOabc")), chunk("data", make([]byte, 60)))
	start := len(whole) - 60
	for n := range len(whole) {
		info, err := inspect(whole[:n])
		if n < start+6 {
			var format *audio.FormatError
			require.ErrorAs(t, err, &format)
			continue
		}
		require.NoError(t, err)
		require.True(t, info.Truncated)
		require.EqualValues(t, (n-start)/6, info.Frames)
	}
}

func TestInspectPassesErrorsOn(t *testing.T) {
	b := file("RIFF", format(1, 1, 16000, 16), chunk("data", make([]byte, 100)))
	_, err := audio.Inspect(bytes.NewReader(b[:20]), int64(len(b)))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	broken := errors.New("bad sector")
	_, err = audio.Inspect(failing{broken}, 1000)
	require.ErrorIs(t, err, broken)
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }
func (f failing) Write([]byte) (int, error)         { return 0, f.err }

func TestSlice(t *testing.T) {
	b := file("RIFF", format(1, 2, 44100, 16), chunk("data", make([]byte, 44100*4)))
	info, err := inspect(b)
	require.NoError(t, err)
	for _, c := range []struct {
		offset, duration time.Duration
		at, frames       int64
	}{
		{0, 0, 0, 44100},
		{100 * time.Millisecond, 0, 4410, 39690},
		{100 * time.Millisecond, 200 * time.Millisecond, 4410, 8820},
		{900 * time.Millisecond, time.Hour, 39690, 4410},
		{2 * time.Second, time.Second, 44100, 0},
		{-time.Second, time.Second, 0, 44100},
		{math.MaxInt64, math.MaxInt64, 44100, 0},
		{time.Second / 3, time.Second / 3, 14700, 14700},
	} {
		s := info.Slice(c.offset, c.duration)
		require.Equal(t, 44+4*c.at, s.DataOffset)
		require.Equal(t, c.frames, s.Frames)
		require.Equal(t, time.Duration(c.frames)*time.Second/44100, s.Duration)
		require.False(t, s.Ready())
	}
}

func TestDurationDoesNotOverflow(t *testing.T) {
	b := file("RIFF", format(1, 1, 1000, 8), open("data", 0, []byte{1}))
	info, err := audio.Inspect(endless{b}, math.MaxInt64)
	require.NoError(t, err)
	require.Equal(t, time.Duration(math.MaxInt64), info.Duration)
	require.EqualError(t, audio.Convert(io.Discard, endless{b}, info), "too long: the recording has more than 37 hours, cut it")
}

// endless is a file that goes on with silence for ever.
type endless struct{ start []byte }

func (e endless) ReadAt(p []byte, at int64) (int, error) {
	clear(p)
	if at < int64(len(e.start)) {
		copy(p, e.start[at:])
	}
	return len(p), nil
}

func BenchmarkInspect(b *testing.B) {
	r := bytes.NewReader(file("RIFF", format(1, 1, 16000, 16), chunk("LIST", make([]byte, 26)), chunk("data", make([]byte, 100))))
	for b.Loop() {
		if _, err := audio.Inspect(r, r.Size()); err != nil {
			b.Fatal(err)
		}
	}
}
