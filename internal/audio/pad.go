package audio

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Pad writes the sound of r, which must be [Info.Ready], followed by silence up
// to length.
func Pad(w io.Writer, r io.ReaderAt, in Info, length time.Duration) error {
	if !in.Ready() {
		return errors.New("audio: to be padded, sound must be 16 kHz mono 16 bit PCM")
	}
	size := 2 * in.Frames
	total := max(size, 2*frames(length, Rate))
	header := make([]byte, headerSize)
	putHeader(header, 1, Rate, 16, total)
	if _, err := w.Write(header); err != nil {
		return err
	}
	n, err := io.Copy(w, io.NewSectionReader(r, in.DataOffset, size))
	if err == nil && n < size {
		err = fmt.Errorf("read at byte %d: %w", in.DataOffset+n, io.ErrUnexpectedEOF) // cut since its header was read
	}
	if err != nil {
		return err
	}
	_, err = w.Write(make([]byte, total-size))
	return err
}
