package audio_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/audio"
)

func convert(t *testing.T, b []byte) []int16 {
	t.Helper()
	info, err := inspect(b)
	require.NoError(t, err)
	return convertAs(t, b, info)
}

func convertAs(t *testing.T, b []byte, info audio.Info) []int16 {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, audio.Convert(&out, bytes.NewReader(b), info))
	got, err := inspect(out.Bytes())
	require.NoError(t, err)
	require.True(t, got.Ready())
	require.EqualValues(t, 44+2*got.Frames, out.Len())
	return samples(out.Bytes()[44:])
}

func samples(b []byte) []int16 {
	list := make([]int16, len(b)/2)
	for i := range list {
		list[i] = int16(le.Uint16(b[2*i:]))
	}
	return list
}

func testdata(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return b
}

// encode stores values of full scale 1 in every format; want is what 16 bits
// make of them, as tolerance allows.
func encode(tag, bits int, values []float64) []byte {
	var b []byte
	for _, v := range values {
		n := int64(math.RoundToEven(v * math.Ldexp(1, bits-1)))
		n = max(-1<<(bits-1), min(n, 1<<(bits-1)-1))
		switch {
		case tag == 3 && bits == 32:
			b = le.AppendUint32(b, math.Float32bits(float32(v)))
		case tag == 3:
			b = le.AppendUint64(b, math.Float64bits(v))
		case bits == 8:
			b = append(b, byte(n+128))
		case bits == 16:
			b = le.AppendUint16(b, uint16(n))
		case bits == 24:
			b = append(b, byte(n), byte(n>>8), byte(n>>16))
		default:
			b = le.AppendUint32(b, uint32(n))
		}
	}
	return b
}

func TestConvertFormats(t *testing.T) {
	values := []float64{0, 0.5, -0.5, 1. / 256, -1. / 256, 0.25, 127. / 128, -1, -127. / 128, 3. / 4, -3. / 4}
	want := make([]int16, len(values))
	for i, v := range values {
		want[i] = int16(v * 0x8000)
	}
	for _, c := range []struct{ tag, bits int }{{1, 16}, {1, 24}, {1, 32}, {3, 32}, {3, 64}} {
		data := chunk("data", encode(c.tag, c.bits, values))
		require.Equal(t, want, convert(t, file("RIFF", format(c.tag, 1, 16000, c.bits), data)), "%d bits, tag %d", c.bits, c.tag)
		require.Equal(t, want, convert(t, file("RIFF", extensible(c.tag, 1, 16000, c.bits, guid), data)))
	}
	eight := make([]int16, len(values))
	for i, v := range values { // 1/256 is half a step of 8 bits
		eight[i] = int16(math.RoundToEven(v*0x80)) << 8
	}
	require.Equal(t, eight, convert(t, file("RIFF", format(1, 1, 16000, 8), chunk("data", encode(1, 8, values)))))
	require.Equal(t, want, convert(t, file("RIFF", format(1, 1, 16000, 12), chunk("data", encode(1, 16, values)))))
}

// All codes of G.711, as Python's audioop decodes them.
func TestConvertG711(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	require.Equal(t, samples(testdata(t, "alaw.s16")), convert(t, file("RIFF", format(6, 1, 16000, 8), chunk("data", all))))
	require.Equal(t, samples(testdata(t, "mulaw.s16")), convert(t, file("RIFF", format(7, 1, 16000, 8), chunk("data", all))))
}

func TestConvertChannels(t *testing.T) {
	stereo := encode(1, 24, []float64{0.5, 0.25, -1, -0.5, 0.5, -0.5})
	require.Equal(t, []int16{0x3000, -0x6000, 0}, convert(t, file("RIFF", format(1, 2, 16000, 24), chunk("data", stereo))))
	six := encode(3, 32, []float64{0.6, 0, 0, 0, 0, 0.6})
	require.Equal(t, []int16{6554}, convert(t, file("RIFF", format(3, 6, 16000, 32), chunk("data", six))))
	// As many channels as there can be, in blocks of a few frames.
	wide := encode(3, 64, make([]float64, 256*1000))
	require.Len(t, convert(t, file("RIFF", format(3, 256, 16000, 64), chunk("data", wide))), 1000)
}

// What a float file may contain without being one that can be heard.
func TestConvertWildFloats(t *testing.T) {
	wild := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1.5, -7, 1e300, 5e-324, 1}
	want := []int16{0, 32767, -32768, 32767, -32768, 32767, 0, 32767}
	require.Equal(t, want, convert(t, file("RIFF", format(3, 1, 16000, 64), chunk("data", encode(3, 64, wild)))))
}

// A file in the right form comes out as it was, across many blocks.
func TestConvertKeepsBits(t *testing.T) {
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i * i >> 3)
	}
	b := file("RIFF", format(1, 1, 16000, 16), chunk("data", data))
	require.Equal(t, samples(data), convert(t, b))

	info, err := inspect(b)
	require.NoError(t, err)
	part := info.Slice(time.Second, 2*time.Second)
	require.Equal(t, samples(data[32000:96000]), convertAs(t, b, part))
	err = audio.Convert(io.Discard, bytes.NewReader(b), info.Slice(time.Hour, 0))
	require.EqualError(t, err, "no sound: nothing is left between the given times")
}

func TestConvertStreamedAndTruncated(t *testing.T) {
	second := encode(1, 16, make([]float64, 8000))
	for _, b := range [][]byte{
		file("RIFF", format(1, 1, 8000, 16), open("data", 0, second)),
		file("RIFF", format(1, 1, 8000, 16), open("data", math.MaxUint32, second)),
		append(file("RIFF", format(1, 1, 8000, 16), open("data", 1<<20, second)), 7),
		file("RF64", ds64(16000), format(1, 1, 8000, 16), open("data", math.MaxUint32, second)),
	} {
		require.Len(t, convert(t, b), 16000)
	}
}

// The length is the duration, to the nearest sample.
func TestConvertLength(t *testing.T) {
	for _, c := range []struct{ rate, frames, want int }{
		{44100, 44100, 16000}, {44100, 1, 1}, {44100, 4, 1}, {44100, 5, 2}, {8000, 1, 2}, {8000, 799, 1598},
		{48000, 48001, 16000}, {1 << 20, 1, 1}, {1000, 7, 112}, {44101, 44101, 16000},
	} {
		b := file("RIFF", format(1, 1, c.rate, 8), chunk("data", make([]byte, c.frames)))
		require.Len(t, convert(t, b), c.want, "%d frames at %d Hz", c.frames, c.rate)
	}
}

// The same sound through resamplers that are trusted (testdata/README.md). Every
// filter ends in a slope of its own below 8 kHz, where this speech has much of its
// power: soxr's own HQ and VHQ are 54 dB apart, its MQ 49 dB. The other file has
// nothing there.
func TestConvertLikeOthers(t *testing.T) {
	for _, c := range []struct {
		in, out string
		snr     float64 // dB
	}{
		{"speech-22050.wav", "speech-soxr-16000.wav", 42},
		{"speech-8000.wav", "speech-8000-soxr-16000.wav", 42},
		{"stereo-48000.wav", "stereo-scipy-16000.wav", 70},
	} {
		got, want := convert(t, testdata(t, c.in)), samples(testdata(t, c.out)[44:])
		require.InDelta(t, len(want), len(got), 1)
		power, noise := 0.0, 0.0
		for i := range min(len(got), len(want)) {
			d := float64(got[i]) - float64(want[i])
			power += float64(want[i]) * float64(want[i])
			noise += d * d
		}
		snr := 10 * math.Log10(power/noise)
		t.Logf("%s: %.1f dB", c.in, snr)
		require.Greater(t, snr, c.snr, c.in)
	}
}

func TestConvertPassesErrorsOn(t *testing.T) {
	b := file("RIFF", format(1, 1, 8000, 16), chunk("data", make([]byte, 1<<20)))
	info, err := inspect(b)
	require.NoError(t, err)
	full := errors.New("disk full")
	require.ErrorIs(t, audio.Convert(failing{full}, bytes.NewReader(b), info), full)
	require.ErrorIs(t, audio.Convert(io.Discard, failing{full}, info), full)
	require.ErrorIs(t, audio.Convert(io.Discard, bytes.NewReader(b[:1<<19]), info), io.ErrUnexpectedEOF)
	var format *audio.FormatError
	require.ErrorAs(t, audio.Convert(io.Discard, bytes.NewReader(b), audio.Info{}), &format)
}

// An hour takes as little memory as a second.
func TestConvertMemoryIsFlat(t *testing.T) {
	e := endless{file("RIFF", format(7, 2, 44100, 8), open("data", 0, []byte{1}))}
	info, err := audio.Inspect(e, 100<<20)
	require.NoError(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.NoError(t, audio.Convert(io.Discard, e, info.Slice(0, 100*time.Second)))
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20))
}

func BenchmarkConvert(b *testing.B) {
	const seconds = 10
	for _, c := range []struct {
		name                      string
		tag, channels, rate, bits int
	}{
		{"PCM16-16k-mono", 1, 1, 16000, 16}, {"PCM16-44k1-stereo", 1, 2, 44100, 16}, {"PCM24-48k-stereo", 1, 2, 48000, 24},
		{"float-48k-mono", 3, 1, 48000, 32}, {"mulaw-8k-mono", 7, 1, 8000, 8},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := file("RIFF", format(c.tag, c.channels, c.rate, c.bits), chunk("data", make([]byte, seconds*c.rate*c.channels*c.bits/8)))
			info, err := inspect(f)
			require.NoError(b, err)
			for b.Loop() {
				if err := audio.Convert(io.Discard, bytes.NewReader(f), info); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(seconds*float64(b.N)/b.Elapsed().Seconds(), "x_realtime")
		})
	}
}
