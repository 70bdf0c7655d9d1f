package audio

import (
	"bytes"
	"encoding/binary"
	"io"
)

// checkEnding finds out that a recording was cut short where ffmpeg cannot: it
// takes the last page that is there for the end. It looks at the structure of the
// file only, so what it says is certain; nil says nothing.
func checkEnding(r io.ReaderAt, size int64) error {
	start, err := readSome(r, 0, size, 12)
	if err != nil || len(start) < 12 {
		return err
	}
	switch {
	case string(start[:4]) == "OggS":
		return checkOgg(r, size)
	case string(start[:4]) == "RIFF" && string(start[8:]) == "AVI ":
		claimed := int64(binary.LittleEndian.Uint32(start[4:]))
		if claimed < streamSize && 8+claimed > size {
			return bad("cut short: the file has %d of the %d bytes that its header claims", size, 8+claimed)
		}
	}
	return nil
}

// A page of Ogg (RFC 3533, 6): a header of 27 bytes, the last of which is the
// number of segments, their sizes, and the segments.
const (
	oggHeader  = 27
	maxOggPage = oggHeader + 255 + 255*255
)

func checkOgg(r io.ReaderAt, size int64) error {
	end, err := readSome(r, max(0, size-maxOggPage), size, maxOggPage)
	if err != nil {
		return err
	}
	for at := len(end); ; {
		at = bytes.LastIndex(end[:at], []byte("OggS"))
		if at < 0 {
			return nil
		}
		page := end[at:]
		if len(page) > 4 && page[4] != 0 || len(page) > 5 && page[5] > 7 {
			continue // not a page: its version would be 0, and there are three flags
		}
		if !wholePage(page) {
			return bad("cut short: the file ends inside a page of Ogg")
		}
		return nil
	}
}

func wholePage(page []byte) bool {
	if len(page) < oggHeader {
		return false
	}
	segments := int(page[oggHeader-1])
	length := oggHeader + segments
	if len(page) < length {
		return false
	}
	for _, n := range page[oggHeader:length] {
		length += int(n)
	}
	return len(page) >= length
}

// readSome reads n bytes at offset, or fewer at the end of the file.
func readSome(r io.ReaderAt, offset, size int64, n int) ([]byte, error) {
	b := make([]byte, max(0, min(int64(n), size-offset)))
	return b, readAt(r, b, offset)
}
