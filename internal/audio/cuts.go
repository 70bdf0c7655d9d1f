package audio

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// A pause is as quiet as its energy in steps of 30 ms, ten of them together: a
// syllable is shorter than that, a breath is not.
const (
	step   = 30 * time.Millisecond
	smooth = 10 // steps

	// search is the share of the limit, in percent, in which the quietest point
	// is searched.
	search = 30
)

// Cuts tells where to cut the sound of r, which Inspect has described as in (or a
// Slice of it), into pieces of at most limit, which must be a second or more:
// each cut is in the middle of the quietest 300 ms that are to be found in the
// last 30 % of the limit, the latest of several. Of what is left in the end two
// pieces of much the same length are made, none shorter than a third of the limit.
//
// Times count from the beginning of in, and each is that of a sample: the Slices
// between them are the whole sound, every sample once. The result depends on
// nothing but the sound. Only the stretches that are searched are read, and memory
// is flat for any length.
func Cuts(r io.ReaderAt, in Info, limit time.Duration) ([]time.Duration, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if limit < time.Second {
		return nil, fmt.Errorf("audio: pieces of %v are too short, the least is 1s", limit)
	}
	// Rounded down, so that no piece is longer.
	most := int64(limit/time.Second)*int64(in.SampleRate) + int64(limit%time.Second*time.Duration(in.SampleRate)/time.Second)
	var cuts []time.Duration
	for at := int64(0); in.Frames-at > most; {
		left := in.Frames - at
		from, to := most-most*search/100, most
		if left <= most+from { // two pieces will do
			from, to = left/2-most*search/200, left/2+most*search/200
		}
		next, err := quietest(r, in, at+from, at+to)
		if err != nil {
			return nil, err
		}
		at = next
		cuts = append(cuts, length(at, in.SampleRate))
	}
	return cuts, nil
}

// quietest finds the middle of the quietest steps between two frames.
func quietest(r io.ReaderAt, in Info, from, to int64) (int64, error) {
	d := newDecoder(r, in.part(from, to-from))
	size := max(1, frames(step, in.SampleRate))
	var (
		e      energy
		recent [smooth]int64 // energies of the last steps
		sum    int64         // of them
		best   int64         // the least sum
		found  = (from + to) / 2
		steps  int64
	)
	for {
		block, err := d.next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return 0, err
		}
		for len(block) > 0 {
			n := min(size-e.n, int64(len(block)))
			e.add(block[:n])
			block = block[n:]
			if e.n < size {
				continue
			}
			last := &recent[steps%smooth]
			sum += e.value() - *last
			*last = e.value()
			e = energy{}
			steps++
			if steps >= smooth && (sum <= best || steps == smooth) {
				best = sum
				found = from + (steps-smooth/2)*size
			}
		}
	}
}

// energy is that of some frames, without their mean: a constant is not heard. It
// is counted in whole steps of 16 bits, so it is the same on every machine, and
// what is below them is silence.
type energy struct{ n, sum, squares int64 }

func (e *energy) add(samples []float32) {
	for _, v := range samples {
		s := int64(v * 0x8000)
		e.sum += s
		e.squares += s * s
	}
	e.n += int64(len(samples))
}

func (e *energy) value() int64 { return e.squares - e.sum*e.sum/e.n }
