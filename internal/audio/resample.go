package audio

import "math"

// The filter is a windowed sinc: flat up to 90 % of the lower Nyquist frequency,
// and 100 dB down from there on, so nothing is mirrored into the speech band.
const (
	crossings = 64   // of the sinc on each side, at the lower of both rates
	cutoff    = 0.95 // of the lower Nyquist frequency: the middle of the slope
	beta      = 10.0 // of the Kaiser window: 100 dB
	maxPhases = 1024 // more than this are interpolated: the error is below -115 dB
)

// resampler turns one sample rate into another, with flat memory. Sample n of
// the output is at the time of n in the input: there is no delay, and silence is
// assumed before and after.
type resampler struct {
	from, to int64     // rates, in lowest terms
	taps     int       // of each phase
	phases   int       // between two input samples
	table    []float32 // (phases + 1) × taps

	input []float32 // samples from number first on
	first int64
	out   []float32
	at    int64 // number of the next output sample
}

func newResampler(from, to int) *resampler {
	g := gcd(from, to)
	r := &resampler{from: int64(from / g), to: int64(to / g)}
	r.phases = int(min(r.to, maxPhases))
	lower := min(1, float64(to)/float64(from)) // the lower Nyquist frequency, in the input's
	half := crossings / lower
	r.taps = 2 * int(math.Ceil(half))
	r.table = make([]float32, 0, (r.phases+1)*r.taps)
	window := bessel(beta)
	row := make([]float64, r.taps)
	for phase := range r.phases + 1 {
		sum := 0.0
		for i := range row {
			t := float64(i-r.taps/2+1) - float64(phase)/float64(r.phases)
			row[i] = 0
			if x := t / half; x > -1 && x < 1 {
				row[i] = sinc(t*lower*cutoff) * bessel(beta*math.Sqrt(1-x*x)) / window
			}
			sum += row[i]
		}
		for _, v := range row {
			r.table = append(r.table, float32(v/sum)) // every phase passes a constant unchanged
		}
	}
	r.input = make([]float32, r.taps) // the silence before
	r.first = int64(-r.taps)
	return r
}

// push takes the next input samples and returns the output samples that they
// complete, valid until the next call.
func (r *resampler) push(samples []float32) []float32 {
	r.input = append(r.input, samples...)
	r.out = r.out[:0]
	end := r.first + int64(len(r.input))
	for {
		position := r.at * r.from // in units of 1/to input samples
		begin := position/r.to - int64(r.taps/2) + 1
		if begin+int64(r.taps) > end {
			copy(r.input, r.input[begin-r.first:])
			r.input = r.input[:end-begin]
			r.first = begin
			return r.out
		}
		x := r.input[begin-r.first:][:r.taps]
		// The phase is exact unless there are too many of them.
		exact := position % r.to * int64(r.phases)
		phase, rest := int(exact/r.to), exact%r.to
		v := dot(x, r.table[phase*r.taps:][:r.taps])
		if rest != 0 {
			next := dot(x, r.table[(phase+1)*r.taps:][:r.taps])
			v += (next - v) * float32(rest) / float32(r.to)
		}
		r.out = append(r.out, v)
		r.at++
	}
}

// flush returns what the silence after the end completes.
func (r *resampler) flush() []float32 { return r.push(make([]float32, r.taps)) }

// dot is a scalar product in four independent sums, which a processor computes
// side by side.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	n := len(a) &^ 3
	for i := 0; i < n; i += 4 {
		x, y := a[i:i+4:i+4], b[i:i+4:i+4]
		s0 += x[0] * y[0]
		s1 += x[1] * y[1]
		s2 += x[2] * y[2]
		s3 += x[3] * y[3]
	}
	for i := n; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel is the modified Bessel function I0 of the Kaiser window.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-17; k++ {
		term *= x / (2 * k) * x / (2 * k)
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
