package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Format is how a WAV file stores its samples.
type Format int

const (
	PCM   Format = iota + 1 // integers; 8 bits and less unsigned
	Float                   // IEEE 754, 32 or 64 bits
	ALaw                    // G.711
	MuLaw                   // G.711
)

func (f Format) String() string {
	switch f {
	case PCM:
		return "PCM"
	case Float:
		return "float"
	case ALaw:
		return "A-law"
	case MuLaw:
		return "µ-law"
	}
	return "unknown"
}

// Info is what the header of a WAV file says, checked against the size of the file.
type Info struct {
	Format        Format
	Channels      int
	SampleRate    int // Hz
	BitsPerSample int
	FrameSize     int   // bytes of one sample of each channel
	Frames        int64 // that are there, whatever the header claims
	Duration      time.Duration
	DataOffset    int64 // of the first frame in the file

	// Streamed: the writer did not know the size, or crashed before it could
	// write it. Everything up to the end of the file is taken as sound.
	Streamed bool
	// Truncated: the file ends before the header says so. Frames and Duration
	// count what is left.
	Truncated bool

	plain bool // a RIFF file with the PCM tag, which every reader understands
}

// Ready reports whether an engine can be handed the file as it is: 16 kHz, mono,
// 16 bit PCM, and a header that every reader understands in the same way.
func (i Info) Ready() bool {
	return i.plain && i.SampleRate == Rate && i.Channels == 1 && i.BitsPerSample == 16 && !i.Streamed && !i.Truncated
}

// Slice is the part of i that begins at offset and lasts for duration, cut at
// the end of the recording; a duration of 0 means up to the end. It is for
// Convert: a slice is never Ready.
func (i Info) Slice(offset, duration time.Duration) Info {
	from := min(frames(offset, i.SampleRate), i.Frames)
	n := i.Frames - from
	if duration > 0 {
		n = min(n, frames(duration, i.SampleRate))
	}
	return i.part(from, n)
}

func (i Info) part(from, n int64) Info {
	i.DataOffset += from * int64(i.FrameSize)
	i.setFrames(n)
	i.plain = false
	return i
}

func (i *Info) setFrames(n int64) {
	i.Frames = n
	i.Duration = length(n, i.SampleRate)
}

// length is how long n frames last.
func length(n int64, hz int) time.Duration {
	rate := int64(hz)
	if n/rate > int64(math.MaxInt64/time.Second)-1 {
		return math.MaxInt64
	}
	return time.Duration(n/rate)*time.Second + time.Duration(n%rate)*time.Second/time.Duration(rate)
}

// frames is how many frames have begun before d: the nearest number.
func frames(d time.Duration, rate int) int64 {
	d = max(d, 0)
	part := d % time.Second * time.Duration(rate)
	return int64(d/time.Second)*int64(rate) + int64((part+time.Second/2)/time.Second)
}

// FormatError says that the bytes are at fault and not the reading of them.
// Reason is one plain line.
type FormatError struct {
	Reason string
	// Foreign: this is sound or video, only in another format or with another
	// codec; a decoder such as ffmpeg can probably read it.
	Foreign bool
}

func (e *FormatError) Error() string { return e.Reason }

func bad(format string, args ...any) error {
	return &FormatError{Reason: fmt.Sprintf(format, args...)}
}

func foreign(format string, args ...any) error {
	return &FormatError{Reason: fmt.Sprintf(format, args...), Foreign: true}
}

const (
	maxChunks   = 1024 // before the sound; real files have a handful
	maxChannels = 256
	minRate     = 1000 // Hz
	maxRate     = 1 << 20
	// The size of a stream is unknown: ffmpeg writes 2^32 - 1, sox this (wav.c),
	// others something between. In an RF64 file the former means "see ds64".
	streamSize  = 0x7ffff000
	unknownSize = math.MaxUint32
)

// Inspect reads the header of the WAV file r, size bytes long. It understands
// RIFF, RF64 and BW64, PCM, float, A-law and µ-law, also as EXTENSIBLE, and
// chunks in any number and order that is allowed. Everything else is refused with
// a *FormatError. At most some kilobytes are read.
func Inspect(r io.ReaderAt, size int64) (Info, error) {
	w := &walker{r: r, size: size}
	start, err := w.bytes(0, 64)
	if err != nil {
		return Info{}, err
	}
	if err := sniff(start); err != nil {
		return Info{}, err
	}
	return w.walk(string(start[:4]) != "RIFF")
}

// walker walks the chunks of a RIFF file.
type walker struct {
	r      io.ReaderAt
	size   int64
	buffer [512]byte

	big      bool  // RF64: sizes are in the ds64 chunk
	dataSize int64 // from ds64
}

// bytes returns up to n bytes at offset, fewer at the end of the file.
func (w *walker) bytes(offset int64, n int) ([]byte, error) {
	n = int(min(int64(n), w.size-offset))
	if n <= 0 {
		return nil, nil
	}
	return w.buffer[:n], readAt(w.r, w.buffer[:n], offset)
}

// readAt fills p with the bytes at offset, which the file had when its size was
// asked for.
func readAt(r io.ReaderAt, p []byte, offset int64) error {
	n, err := r.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // somebody is cutting it
	}
	return fmt.Errorf("read at byte %d: %w", offset, err)
}

func (w *walker) walk(big bool) (Info, error) {
	var info Info
	w.big, w.dataSize = big, -1
	offset := int64(12)
	for range maxChunks {
		head, err := w.bytes(offset, 8)
		if err != nil {
			return Info{}, err
		}
		if len(head) < 8 {
			return Info{}, bad("no sound: the WAV file ends at byte %d without a data chunk", w.size)
		}
		id, length := string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:]))
		offset += 8
		if id == "data" {
			if info.Format == 0 {
				return Info{}, bad("damaged: the data chunk comes before the fmt chunk")
			}
			err := w.data(&info, offset, length)
			return info, err
		}
		if length > w.size-offset {
			return Info{}, bad("damaged or cut short: chunk %q claims %d bytes, %d are left in the file", id, length, w.size-offset)
		}
		switch id {
		case "ds64":
			if err := w.ds64(offset, length); err != nil {
				return Info{}, err
			}
		case "fmt ":
			if info.Format != 0 {
				return Info{}, bad("damaged: two fmt chunks")
			}
			if info, err = w.format(offset, length); err != nil {
				return Info{}, err
			}
		}
		offset += length + length%2 // chunks begin at even bytes
	}
	return Info{}, bad("damaged: more than %d chunks before the sound", maxChunks)
}

// ds64 reads the 64 bit sizes of RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088).
func (w *walker) ds64(offset, length int64) error {
	b, err := w.bytes(offset, int(min(length, 24)))
	if err != nil {
		return err
	}
	if len(b) < 24 {
		return bad("damaged: the ds64 chunk has %d bytes", length)
	}
	w.dataSize = int64(binary.LittleEndian.Uint64(b[8:]))
	return nil
}

// format reads the fmt chunk.
func (w *walker) format(offset, length int64) (Info, error) {
	b, err := w.bytes(offset, int(min(length, 40)))
	if err != nil {
		return Info{}, err
	}
	if len(b) < 16 {
		return Info{}, bad("damaged: the fmt chunk has %d bytes", length)
	}
	le := binary.LittleEndian
	tag := le.Uint16(b)
	info := Info{
		Channels:      int(le.Uint16(b[2:])),
		SampleRate:    int(le.Uint32(b[4:])),
		FrameSize:     int(le.Uint16(b[12:])),
		BitsPerSample: int(le.Uint16(b[14:])),
		plain:         tag == tagPCM && !w.big,
	}
	if tag == tagExtensible {
		// The rest of the GUID is the same for all that come from such tags
		// (mmreg.h, DEFINE_WAVEFORMATEX_GUID).
		if len(b) < 40 || string(b[26:40]) != "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71" {
			return Info{}, foreign("unsupported: an EXTENSIBLE WAV file of an unknown kind")
		}
		tag = le.Uint16(b[24:])
	}
	switch tag {
	case tagPCM:
		info.Format = PCM
	case tagFloat:
		info.Format = Float
	case tagALaw:
		info.Format = ALaw
	case tagMuLaw:
		info.Format = MuLaw
	default:
		return Info{}, foreign("unsupported: a WAV file with %s inside", codec(tag))
	}
	return info, info.check()
}

const (
	tagPCM        = 0x0001
	tagFloat      = 0x0003
	tagALaw       = 0x0006
	tagMuLaw      = 0x0007
	tagExtensible = 0xfffe
)

// codec names what else occurs in WAV files (RFC 2361, mmreg.h).
func codec(tag uint16) string {
	name := map[uint16]string{
		0x0002: "Microsoft ADPCM", 0x0011: "IMA ADPCM", 0x0031: "GSM 6.10", 0x0050: "MPEG audio", 0x0055: "MP3",
		0x0064: "G.726", 0x00ff: "AAC", 0x0161: "Windows Media", 0x2000: "AC-3", 0x674f: "Ogg Vorbis", 0xf1ac: "FLAC",
	}[tag]
	if name == "" {
		return fmt.Sprintf("codec 0x%04x", tag)
	}
	return name
}

// check refuses numbers that cannot be; nothing is guessed out of the others.
func (i Info) check() error {
	bits := false
	switch i.Format {
	case PCM:
		bits = i.BitsPerSample >= 1 && i.BitsPerSample <= 32
	case Float:
		bits = i.BitsPerSample == 32 || i.BitsPerSample == 64
	default:
		bits = i.BitsPerSample == 8
	}
	switch {
	case i.Channels < 1 || i.Channels > maxChannels:
		return bad("damaged: the fmt chunk claims %d channels", i.Channels)
	case i.SampleRate < minRate || i.SampleRate > maxRate:
		return bad("damaged: the fmt chunk claims a sample rate of %d Hz", i.SampleRate)
	case !bits:
		return bad("damaged: the fmt chunk claims %d bits for a %v sample", i.BitsPerSample, i.Format)
	case i.FrameSize != i.Channels*i.sampleSize():
		return bad("damaged: the fmt chunk claims %d bytes for %d samples of %d bits", i.FrameSize, i.Channels, i.BitsPerSample)
	}
	return nil
}

// sampleSize is in bytes. Fewer bits than fill the bytes are at the upper end.
func (i Info) sampleSize() int { return (i.BitsPerSample + 7) / 8 }

// data finds out how much sound there is.
func (w *walker) data(info *Info, offset, length int64) error {
	left := max(w.size-offset, 0)
	streamed := length == 0 || length >= streamSize && length > left
	if w.big && length == unknownSize {
		length = w.dataSize
		streamed = length <= 0
	}
	switch {
	case length == 0 && w.onlyChunks(offset):
		return bad("no sound: the data chunk is empty")
	case streamed:
		info.Streamed, length = true, left
	case length > left:
		info.Truncated, length = true, left
	}
	info.DataOffset = offset
	info.setFrames(length / int64(info.FrameSize))
	if info.Frames == 0 {
		return bad("no sound: the file ends where the sound would begin")
	}
	return nil
}

// onlyChunks reports whether chunks and nothing else fill the file from offset
// on: then an empty data chunk means that there is no sound.
func (w *walker) onlyChunks(offset int64) bool {
	for range maxChunks {
		if offset >= w.size {
			return true
		}
		head, err := w.bytes(offset, 8)
		if err != nil || len(head) < 8 {
			return false
		}
		for _, c := range head[:4] {
			if c < ' ' || c > '~' {
				return false
			}
		}
		length := int64(binary.LittleEndian.Uint32(head[4:]))
		offset += 8 + length + length%2
		if offset > w.size+1 {
			return false
		}
	}
	return false
}
