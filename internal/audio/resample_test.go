package audio

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// resample sends n input samples of a signal through the filter, in uneven blocks.
func resample(from, n int, signal func(seconds float64) float64) []float64 {
	r := newResampler(from, Rate)
	var out []float64
	keep := func(samples []float32) {
		for _, v := range samples {
			out = append(out, float64(v))
		}
	}
	block := make([]float32, 0, 1000)
	for i := range n {
		block = append(block, float32(signal(float64(i)/float64(from))))
		if len(block) == 1+i%997 || len(block) == cap(block) {
			keep(r.push(block))
			block = block[:0]
		}
	}
	keep(r.push(block))
	keep(r.flush())
	return out[:int64(n)*Rate/int64(from)]
}

// level is the power of a signal in dB, without its first and last 20 ms.
func level(samples []float64, minus func(i int) float64) float64 {
	sum, edge := 0.0, Rate/50
	for i, v := range samples[edge : len(samples)-edge] {
		d := v - minus(i+edge)
		sum += d * d
	}
	return 10 * math.Log10(sum/float64(len(samples)-2*edge))
}

func nothing(int) float64 { return 0 }

var rates = []int{8000, 11025, 12000, 22050, 24000, 32000, 44100, 44101, 44056, 48000, 88200, 96000, 192000, 767999}

// Sums of sines are known exactly at any rate: the difference is what the filter
// and float32 add.
func TestResampleSines(t *testing.T) {
	for _, from := range rates {
		top := 0.9 * float64(min(from, Rate)) / 2
		signal := func(s float64) float64 {
			v := 0.0
			for k := range 25 {
				hz := 60 * math.Pow(top/60, float64(k)/24)
				v += 0.03 * math.Sin(2*math.Pi*hz*s+float64(k*k))
			}
			return v
		}
		out := resample(from, from/4, signal)
		noise := level(out, func(i int) float64 { return signal(float64(i) / Rate) })
		snr := level(out, nothing) - noise
		t.Logf("%6d Hz: signal to noise %.1f dB", from, snr)
		require.Greater(t, snr, 98.0, "from %d Hz", from)
	}
}

// Tones above 8 kHz must vanish, not come back mirrored.
func TestResampleStopBand(t *testing.T) {
	for _, from := range []int{22050, 44100, 48000, 44101, 192000} {
		worst := math.Inf(-1)
		for hz := 8000.0; hz < float64(from)/2; hz = hz*1.04 + 50 {
			tone := func(s float64) float64 { return math.Sin(2*math.Pi*hz*s + 1) }
			worst = max(worst, level(resample(from, from/10, tone), nothing)+3)
		}
		t.Logf("%6d Hz: worst tone above 8 kHz %.1f dB", from, worst)
		require.Less(t, worst, -95.0, "from %d Hz", from)
	}
}

// A constant passes unchanged, so does the time of an impulse.
func TestResampleIsInPlace(t *testing.T) {
	for _, from := range rates {
		for i, v := range resample(from, from/10, func(float64) float64 { return 0.5 })[Rate/50 : Rate/20] {
			if math.Abs(v-0.5) > 1e-5 {
				t.Fatalf("from %d Hz: sample %d of a constant is %g", from, i, v)
			}
		}
		at := float64(from/20) / float64(from)
		out := resample(from, from/10, func(s float64) float64 {
			if s == at {
				return 1
			}
			return 0
		})
		peak := 0
		for i, v := range out {
			if v > out[peak] {
				peak = i
			}
		}
		require.InDelta(t, at*Rate, peak, 1, "from %d Hz", from)
	}
}

func BenchmarkResample(b *testing.B) {
	for _, from := range []int{8000, 44100, 48000} {
		b.Run(map[int]string{8000: "8k", 44100: "44k1", 48000: "48k"}[from], func(b *testing.B) {
			r := newResampler(from, Rate)
			block := make([]float32, from/10)
			b.SetBytes(int64(2 * len(block)))
			for b.Loop() {
				r.push(block)
			}
			b.ReportMetric(float64(b.N)/10/b.Elapsed().Seconds(), "x_realtime")
		})
	}
}
