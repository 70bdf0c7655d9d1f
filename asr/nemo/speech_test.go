package nemo_test

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
)

// The speech of the tests is a chord for each character, the same as in
// testdata/env/speech.py, which the models were trained on.
const (
	rate       = 16000
	characters = " abcdefghijklmnopqrstuvwxyz'"
)

func say(text string) []int16 {
	const level = 0.3
	chord, gap, pad := rate/10, rate/50, rate*15/100
	samples := make([]int16, pad)
	for _, c := range text {
		i := strings.IndexRune(characters, c)
		if i < 0 {
			panic("cannot say " + string(c))
		}
		low, high := float64(300+110*i), float64(3800+110*(i*11%28))
		for n := range chord {
			t := 2 * math.Pi * float64(n) / rate
			window := 0.5 - 0.5*math.Cos(2*math.Pi*float64(n)/float64(chord-1))
			samples = append(samples, int16(32767*level*window*(math.Sin(low*t)+0.6*math.Sin(high*t))))
		}
		samples = append(samples, make([]int16, gap)...)
	}
	return append(samples, make([]int16, pad)...)
}

// record writes a recording and makes an utterance of it.
func record(t testing.TB, dir, id string, samples []int16) asr.Utterance {
	t.Helper()
	path := filepath.Join(dir, id+".wav")
	require.NoError(t, os.WriteFile(path, wav(samples, 1), 0o600))
	return asr.Utterance{ID: id, Path: path, Duration: time.Duration(len(samples)) * time.Second / rate}
}

func wav(samples []int16, channels int) []byte {
	size := uint32(2 * len(samples))
	b := append([]byte(nil), "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, 36+size)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = binary.LittleEndian.AppendUint32(b, uint32(2*rate*channels))
	b = binary.LittleEndian.AppendUint16(b, uint16(2*channels))
	b = append(b, "\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, size)
	for _, s := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// sentences are what the models of the tests never heard in training.
var sentences = []string{
	"hello world", "the cat sat on a mat", "quick brown fox", "jump over lazy dog", "deep sea open door",
	"one two three four", "keep every word", "never lose job back up", "voice note", "hold fast",
}
