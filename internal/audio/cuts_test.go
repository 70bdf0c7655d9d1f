package audio_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/audio"
)

// sound is a WAV file whose samples a function of the time gives.
func sound(tag, channels, rate, bits int, length time.Duration, f func(seconds float64) float64) []byte {
	n := int(length.Seconds()*float64(rate) + 0.5)
	values := make([]float64, 0, n*channels)
	for i := range n {
		v := f(float64(i) / float64(rate))
		for range channels {
			values = append(values, v)
		}
	}
	return file("RIFF", format(tag, channels, rate, bits), chunk("data", encode(tag, bits, values)))
}

func tone(seconds float64) float64 { return math.Sin(2*math.Pi*200*seconds) / 2 }

// speech is a tone with pauses that are as loud as floor.
func speech(floor float64, pauses ...[2]float64) func(float64) float64 {
	random := rand.New(rand.NewPCG(1, 2))
	return func(s float64) float64 {
		noise := floor * (2*random.Float64() - 1)
		for _, p := range pauses {
			if s >= p[0] && s < p[1] {
				return noise
			}
		}
		return tone(s) + noise
	}
}

func cutsOf(t testing.TB, b []byte, limit time.Duration) (audio.Info, []time.Duration) {
	t.Helper()
	info, err := inspect(b)
	require.NoError(t, err)
	cuts, err := audio.Cuts(bytes.NewReader(b), info, limit)
	require.NoError(t, err)
	requireWhole(t, info, cuts, limit)
	return info, cuts
}

// requireWhole demands that the pieces are the whole, and neither too long nor
// too short.
func requireWhole(t testing.TB, info audio.Info, cuts []time.Duration, limit time.Duration) {
	t.Helper()
	at, offset := time.Duration(0), info.DataOffset
	for _, next := range append(slices.Clone(cuts), info.Duration) {
		piece := info.Slice(at, next-at)
		require.Equal(t, offset, piece.DataOffset, "at %v", at)
		require.LessOrEqual(t, piece.Duration, limit)
		if len(cuts) > 0 {
			require.GreaterOrEqual(t, piece.Duration, limit/3, "at %v", at)
		}
		at, offset = next, offset+piece.Frames*int64(info.FrameSize)
	}
	require.Equal(t, info.DataOffset+info.Frames*int64(info.FrameSize), offset)
}

func requireNear(t *testing.T, want []float64, cuts []time.Duration) {
	t.Helper()
	require.Len(t, cuts, len(want), "%v", cuts)
	for i, at := range cuts {
		require.InDelta(t, want[i], at.Seconds(), 0.2, "%v", cuts)
	}
}

func TestCutsFindPauses(t *testing.T) {
	pauses := [][2]float64{{1, 1.5}, {8.2, 8.8}, {14.2, 14.7}, {17.1, 17.6}, {21, 21.4}}
	for _, c := range []struct {
		name                      string
		tag, channels, rate, bits int
		floor                     float64
	}{
		{"16 bits", 1, 1, 16000, 16, 0},
		{"8 bits, stereo", 1, 2, 8000, 8, 0.02},
		{"24 bits, 48 kHz", 1, 1, 48000, 24, 0.001},
		{"float", 3, 1, 44100, 32, 0.05},
		{"an odd rate", 1, 1, 11127, 16, 0.1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := sound(c.tag, c.channels, c.rate, c.bits, 25*time.Second, speech(c.floor, pauses...))
			_, cuts := cutsOf(t, b, 10*time.Second)
			// From 8.5 s on two pieces will do: the search is between 15.25 and 18.25 s.
			requireNear(t, []float64{8.5, 17.35}, cuts)
		})
	}
	// µ-law: its levels are coarse, a constant is as good as silence.
	info, err := inspect(file("RIFF", format(7, 1, 8000, 8), chunk("data", bytes.Repeat([]byte{0x30}, 8000*25))))
	require.NoError(t, err)
	cuts, err := audio.Cuts(endless{nil}, info, 10*time.Second)
	require.NoError(t, err)
	requireWhole(t, info, cuts, 10*time.Second)
}

// The shorter pause is deeper, and a click in the longer one does not hide it.
func TestCutsWeighPauses(t *testing.T) {
	b := sound(1, 1, 16000, 16, 15*time.Second, func(s float64) float64 {
		switch {
		case s >= 6.5 && s < 7.5:
			return tone(s) / 100
		case s >= 8 && s < 8.05: // too short to be a pause
			return 0
		case s >= 8.4 && s < 8.8:
			return tone(s) / 1000
		}
		return tone(s)
	})
	_, cuts := cutsOf(t, b, 10*time.Second)
	requireNear(t, []float64{8.6}, cuts)
}

// Of equal points the latest is taken: fewer pieces come of it.
func TestCutsTakeTheLatest(t *testing.T) {
	silence := sound(1, 1, 16000, 16, 60*time.Second, func(float64) float64 { return 0 })
	_, cuts := cutsOf(t, silence, 10*time.Second)
	requireNear(t, []float64{9.85, 19.7, 29.55, 39.4, 49.25}, cuts[:5])
	constant := sound(1, 1, 16000, 8, 60*time.Second, func(float64) float64 { return 0.25 })
	_, same := cutsOf(t, constant, 10*time.Second)
	require.Equal(t, cuts, same)
}

// Loud everywhere, or of any length: it is cut all the same, and nothing is lost.
func TestCutsOfAnything(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		rate := []int{1000, 8000, 11127, 16000}[random.IntN(4)]
		limit := time.Second + time.Duration(random.Int64N(int64(3*time.Second)))
		length := time.Duration(random.Int64N(int64(5 * limit)))
		length = max(length, 10*time.Millisecond)
		b := sound(1, 1+random.IntN(2), rate, 16, length, speech(random.Float64()))
		info, cuts := cutsOf(t, b, limit)
		if info.Duration <= limit {
			require.Empty(t, cuts)
		}
		_, again := cutsOf(t, b, limit)
		require.Equal(t, cuts, again)
	}
	second := sound(1, 1, 8000, 16, 2*time.Second, tone)
	cutsOf(t, second, 2*time.Second)
	cutsOf(t, second, math.MaxInt64)
	_, cuts := cutsOf(t, second, 2*time.Second-1)
	require.Len(t, cuts, 1)
}

// A Slice is cut as a recording of its own.
func TestCutsOfASlice(t *testing.T) {
	b := sound(1, 1, 16000, 16, 30*time.Second, speech(0.01, [2]float64{14, 14.5}))
	info, err := inspect(b)
	require.NoError(t, err)
	part := info.Slice(5*time.Second, 16*time.Second)
	cuts, err := audio.Cuts(bytes.NewReader(b), part, 10*time.Second)
	require.NoError(t, err)
	requireNear(t, []float64{9.25}, cuts)
	requireWhole(t, part, cuts, 10*time.Second)
}

func TestCutsRefuse(t *testing.T) {
	b := sound(1, 1, 8000, 16, 3*time.Second, tone)
	info, err := inspect(b)
	require.NoError(t, err)
	_, err = audio.Cuts(bytes.NewReader(b), info, time.Second-1)
	require.ErrorContains(t, err, "too short")
	_, err = audio.Cuts(bytes.NewReader(b), audio.Info{}, time.Second)
	require.Error(t, err)
	_, err = audio.Cuts(bytes.NewReader(b[:20000]), info, time.Second)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	broken := errors.New("bad sector")
	_, err = audio.Cuts(failing{broken}, info, time.Second)
	require.ErrorIs(t, err, broken)
}

// Ten hours take as little memory as a minute.
func TestCutsMemoryIsFlat(t *testing.T) {
	allocated := func(length time.Duration) uint64 {
		e := endless{file("RIFF", format(7, 1, 1000, 8), open("data", 0, []byte{1}))}
		info, err := audio.Inspect(e, math.MaxInt64)
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = audio.Cuts(e, info.Slice(0, length), length/2)
		require.NoError(t, err)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	require.InDelta(t, allocated(time.Minute), allocated(10*time.Hour), 1<<20)
}

func BenchmarkCuts(b *testing.B) {
	for _, c := range []struct {
		name                      string
		tag, channels, rate, bits int
	}{{"PCM16-16k-mono", 1, 1, 16000, 16}, {"PCM24-48k-stereo", 1, 2, 48000, 24}, {"float-48k-mono", 3, 1, 48000, 32}} {
		b.Run(c.name, func(b *testing.B) {
			const seconds = 60
			wav := sound(c.tag, c.channels, c.rate, c.bits, seconds*time.Second, tone)
			info, err := inspect(wav)
			require.NoError(b, err)
			for b.Loop() {
				if _, err := audio.Cuts(bytes.NewReader(wav), info, 10*time.Second); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(seconds*float64(b.N)/b.Elapsed().Seconds(), "x_realtime")
		})
	}
}
