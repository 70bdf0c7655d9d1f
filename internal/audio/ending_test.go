package audio

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// An Ogg file that was cut anywhere but between two pages is told.
func TestCheckEndingOgg(t *testing.T) {
	page := append([]byte("OggS\x00\x00"), make([]byte, 20)...)
	page = append(append(page, 2, 255, 45), bytes.Repeat([]byte("OggS\x09"), 60)...) // 300 bytes in two segments
	file := bytes.Repeat(page, 300)
	check := func(n int) error { return checkEnding(bytes.NewReader(file[:n]), int64(n)) }
	for n := len(page); n <= 3*len(page); n++ {
		if n%len(page) == 0 || n%len(page) < 4 { // what is left of a magic could be anything
			require.NoError(t, check(n), n)
		} else {
			require.EqualError(t, check(n), "cut short: the file ends inside a page of Ogg", n)
		}
	}
	require.NoError(t, check(len(file)))
	require.Error(t, check(len(file)-1))
	tagged := append(file, "TAG and more"...) // what other programs append
	require.NoError(t, checkEnding(bytes.NewReader(tagged), int64(len(tagged))))
}

func TestCheckEndingAVI(t *testing.T) {
	for claimed, whole := range map[string]bool{"\x0c\x00\x00\x00": true, "\x0d\x00\x00\x00": false, "\x00\x00\x00\x00": true, "\xff\xff\xff\xff": true} {
		b := []byte("RIFF" + claimed + "AVI LISTabcd")
		require.Equal(t, whole, checkEnding(bytes.NewReader(b), int64(len(b))) == nil, "%x", claimed)
	}
	require.NoError(t, checkEnding(bytes.NewReader(nil), 0))
	require.EqualError(t, checkEnding(bytes.NewReader(nil), 100), "read at byte 0: unexpected EOF")
}
