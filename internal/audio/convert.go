package audio

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// Rate is the sample rate of converted sound, in Hz: what Whisper and NeMo's
// models are trained on.
const Rate = 16000

const headerSize = 44

// maxFrames is what a plain WAV header can count: 37 hours.
const maxFrames = (math.MaxUint32 - headerSize) / 2

// Convert writes the sound of r, which Inspect has described as in (or a Slice
// of it), as a plain WAV file: 16 kHz, one channel, 16 bit PCM. Channels are
// averaged; another sample rate goes through a band-limited filter. Memory is
// flat for any length.
func Convert(w io.Writer, r io.ReaderAt, in Info) error {
	if err := in.check(); err != nil {
		return err
	}
	if in.Frames < 1 {
		return bad("no sound: nothing is left between the given times")
	}
	if in.Frames/int64(in.SampleRate) > maxFrames/Rate-1 {
		return bad("too long: the recording has more than 37 hours, cut it")
	}
	// The output has the duration of the input, to the nearest sample.
	frames := max(1, (in.Frames*Rate+int64(in.SampleRate)/2)/int64(in.SampleRate))
	out := &encoder{w: w, left: frames}
	header := make([]byte, headerSize)
	putHeader(header, 1, Rate, 16, 2*frames)
	if _, err := w.Write(header); err != nil {
		return err
	}
	d := newDecoder(r, in)
	var filter *resampler
	if in.SampleRate != Rate {
		filter = newResampler(in.SampleRate, Rate)
	}
	for {
		block, err := d.next()
		last := errors.Is(err, io.EOF)
		switch {
		case err != nil && !last:
			return err
		case filter != nil && last:
			block = filter.flush()
		case filter != nil:
			block = filter.push(block)
		}
		if err := out.write(block); err != nil {
			return err
		}
		if last {
			return nil
		}
	}
}

// putHeader writes the plain 44 byte header of a WAV file with integer samples.
func putHeader(b []byte, channels, rate, bits int, size int64) {
	le := binary.LittleEndian
	frame := channels * bits / 8
	copy(b, "RIFF")
	le.PutUint32(b[4:], uint32(headerSize-8+size))
	copy(b[8:], "WAVEfmt ")
	le.PutUint32(b[16:], 16)
	le.PutUint16(b[20:], tagPCM)
	le.PutUint16(b[22:], uint16(channels))
	le.PutUint32(b[24:], uint32(rate))
	le.PutUint32(b[28:], uint32(rate*frame))
	le.PutUint16(b[32:], uint16(frame))
	le.PutUint16(b[34:], uint16(bits))
	copy(b[36:], "data")
	le.PutUint32(b[40:], uint32(size))
}

// encoder writes 16 bit samples, as many as the header has promised.
type encoder struct {
	w    io.Writer
	left int64
	raw  []byte
}

func (e *encoder) write(samples []float32) error {
	samples = samples[:min(int64(len(samples)), e.left)]
	e.left -= int64(len(samples))
	e.raw = e.raw[:0]
	for _, v := range samples {
		s := math.RoundToEven(float64(v) * 0x8000)
		e.raw = binary.LittleEndian.AppendUint16(e.raw, uint16(int16(max(-0x8000, min(s, 0x7fff)))))
	}
	_, err := e.w.Write(e.raw)
	return err
}
