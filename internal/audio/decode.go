package audio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	goaudio "github.com/go-audio/audio"
	"github.com/go-audio/wav"
)

const blockBytes = 1 << 16

// decoder reads the sound of a file block by block and mixes it down to one
// channel in [-1, 1].
type decoder struct {
	r      io.ReaderAt
	info   Info
	offset int64
	left   int64 // frames

	raw  []byte // a header, and the frames of a block behind it
	mono []float32
	ints *goaudio.IntBuffer
}

func newDecoder(r io.ReaderAt, info Info) *decoder {
	perBlock := max(1, blockBytes/info.FrameSize)
	d := &decoder{r: r, info: info, offset: info.DataOffset, left: info.Frames}
	d.raw = make([]byte, headerSize+perBlock*info.FrameSize)
	d.mono = make([]float32, perBlock)
	if info.Format == PCM {
		d.ints = &goaudio.IntBuffer{Data: make([]int, perBlock*info.Channels)}
	}
	return d
}

// next returns the next block, valid until the next call, and io.EOF after the
// last one.
func (d *decoder) next() ([]float32, error) {
	if d.left == 0 {
		return nil, io.EOF
	}
	n := int(min(d.left, int64(len(d.mono))))
	raw := d.raw[headerSize : headerSize+n*d.info.FrameSize]
	if err := readAt(d.r, raw, d.offset); err != nil {
		return nil, err
	}
	d.left -= int64(n)
	d.offset += int64(len(raw))
	mono := d.mono[:n]
	if d.info.Format == PCM {
		return mono, d.integers(mono)
	}
	d.others(mono, raw)
	return mono, nil
}

// integers decodes PCM by go-audio/wav, which is right about samples as long as
// the header before them is plain, so each block is given one.
func (d *decoder) integers(mono []float32) error {
	bits := 8 * d.info.sampleSize()
	size := len(mono) * d.info.FrameSize
	putHeader(d.raw, d.info.Channels, d.info.SampleRate, bits, int64(size))
	d.ints.Data = d.ints.Data[:len(mono)*d.info.Channels]
	got, err := wav.NewDecoder(bytes.NewReader(d.raw[:headerSize+size])).PCMBuffer(d.ints)
	if err != nil || got != len(d.ints.Data) {
		return fmt.Errorf("decode %d samples of %d bits: got %d: %v", len(d.ints.Data), bits, got, err)
	}
	zero := 0
	if bits == 8 {
		zero = 128 // 8 bits are unsigned
	}
	scale := 1 / (float32(uint32(1)<<(bits-1)) * float32(d.info.Channels))
	data := d.ints.Data
	for i := range mono {
		sum := int64(0)
		for _, v := range data[:d.info.Channels] {
			sum += int64(v - zero)
		}
		data = data[d.info.Channels:]
		mono[i] = float32(sum) * scale
	}
	return nil
}

// others decodes what go-audio/wav takes for integers.
func (d *decoder) others(mono []float32, raw []byte) {
	le := binary.LittleEndian
	size := d.info.sampleSize()
	scale := 1 / float64(d.info.Channels)
	for i := range mono {
		sum := 0.0
		for range d.info.Channels {
			switch {
			case d.info.Format == ALaw:
				sum += float64(aLaw(raw[0])) / 0x8000
			case d.info.Format == MuLaw:
				sum += float64(muLaw(raw[0])) / 0x8000
			case size == 4:
				sum += sane(float64(math.Float32frombits(le.Uint32(raw))))
			default:
				sum += sane(math.Float64frombits(le.Uint64(raw)))
			}
			raw = raw[size:]
		}
		mono[i] = float32(sum * scale)
	}
}

// sane limits a float sample, which may be anything: full scale is 1, and what
// is no number is silence, since one such value would spread through the filter.
func sane(v float64) float64 {
	if v != v {
		return 0
	}
	return max(-1, min(v, 1))
}
