package audio_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/audio"
)

func TestPad(t *testing.T) {
	sound := bytes.Repeat([]byte{1, 2}, 8000) // half a second
	short := file("RIFF", format(1, 1, 16000, 16), chunk("LIST", []byte("note")), chunk("data", sound))
	info, err := inspect(short)
	require.NoError(t, err)

	var padded bytes.Buffer
	require.NoError(t, audio.Pad(&padded, bytes.NewReader(short), info, 1500*time.Millisecond))
	got, err := inspect(padded.Bytes())
	require.NoError(t, err)
	require.True(t, got.Ready())
	require.Equal(t, 1500*time.Millisecond, got.Duration)
	require.Equal(t, append(sound, make([]byte, 32000)...), padded.Bytes()[got.DataOffset:])

	var same bytes.Buffer
	require.NoError(t, audio.Pad(&same, bytes.NewReader(short), info, 0))
	require.Equal(t, sound, same.Bytes()[44:], "nothing is cut off")
	require.Error(t, audio.Pad(&same, bytes.NewReader(short), audio.Info{}, time.Second))
	cut := bytes.NewReader(short[:len(short)-1])
	require.ErrorIs(t, audio.Pad(io.Discard, cut, info, time.Second), io.ErrUnexpectedEOF, "cut since it was inspected")
}
