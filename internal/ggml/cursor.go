package ggml

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// cursor reads small fields of a file of known size and jumps over large ones.
// It keeps the first error; after one, every field reads as zero.
type cursor struct {
	r     io.ReaderAt
	size  int64
	pos   int64
	place string // what is being read, for the message
	err   error

	window []byte // bytes of the file from start on
	start  int64
	buffer [4096]byte
}

// bytes returns the next n bytes, valid until the next call. n is at most the
// size of the buffer.
func (c *cursor) bytes(n int) []byte {
	if c.err != nil || !c.have(int64(n)) {
		return make([]byte, n)
	}
	if c.pos < c.start || c.pos+int64(n) > c.start+int64(len(c.window)) {
		want := min(int64(len(c.buffer)), c.size-c.pos)
		got, err := c.r.ReadAt(c.buffer[:want], c.pos)
		if int64(got) < want {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // shorter than we were told: somebody is cutting it
			}
			c.err = fmt.Errorf("read at byte %d: %w", c.pos, err)
			return make([]byte, n)
		}
		c.start, c.window = c.pos, c.buffer[:got]
	}
	at := c.pos - c.start
	c.pos += int64(n)
	return c.window[at : at+int64(n)]
}

// skip jumps over n bytes that the file must have.
func (c *cursor) skip(n int64) {
	if c.err == nil && c.have(n) {
		c.pos += n
	}
}

func (c *cursor) have(n int64) bool {
	if n > c.size-c.pos {
		c.err = refuse("cut short: the file ends at byte %d, inside %s", c.size, c.place)
		return false
	}
	return true
}

func (c *cursor) u8() int    { return int(c.bytes(1)[0]) }
func (c *cursor) u16() int   { return int(binary.LittleEndian.Uint16(c.bytes(2))) }
func (c *cursor) u32() int64 { return int64(binary.LittleEndian.Uint32(c.bytes(4))) }
func (c *cursor) i32() int   { return int(int32(binary.LittleEndian.Uint32(c.bytes(4)))) }
