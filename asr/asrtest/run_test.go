package asrtest_test

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/asrtest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// tones are recordings of which the engines of these tests know the text.
func tones(t *testing.T) []asrtest.Clip {
	t.Helper()
	var clips []asrtest.Clip
	for text, hertz := range map[string]float64{"300 hertz": 300, "520 hertz": 520, "740 hertz": 740} {
		path := filepath.Join(t.TempDir(), text+".wav")
		require.NoError(t, os.WriteFile(path, wave(hertz), 0o600))
		clips = append(clips, asrtest.Clip{Path: path, Text: text})
	}
	return clips
}

// wave is a WAV file of 1.5 seconds.
func wave(hertz float64) []byte {
	const samples = 24000
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, 36+2*samples)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, 2*samples)
	for i := range samples {
		value := int16(9000 * math.Sin(2*math.Pi*hertz*float64(i)/16000))
		b = binary.LittleEndian.AppendUint16(b, uint16(value))
	}
	return b
}

func TestAdapter(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	asrtest.Run(t, asrtest.Harness{
		Open: func(t *testing.T, root *tempdir.Root) asr.Transcriber {
			ear, err := OpenEar(t.Context(), root, program)
			require.NoError(t, err)
			return ear
		},
		Speech:  tones(t),
		NoOther: "it has no options",
	})
}

// The fake looks at no file, so the rule has to: damaged recordings fail.
func TestFake(t *testing.T) {
	hear := func(_ int, u asr.Utterance) asrtest.Answer {
		if _, err := asr.Inspect(t.Context(), u.Path); err != nil {
			return asrtest.Answer{Err: err}
		}
		return asrtest.Answer{Text: "a tone", Words: []asr.Word{{Text: "a"}, {Text: "tone", End: u.Duration}}}
	}
	open := func(about asr.Engine) func(*testing.T, *tempdir.Root) asr.Transcriber {
		return func(*testing.T, *tempdir.Root) asr.Transcriber {
			return asrtest.NewFake(asrtest.Script{Engine: about, Rule: hear})
		}
	}
	asrtest.Run(t, asrtest.Harness{
		Open:     open(asr.Engine{MaxBatch: 8, MaxParallel: 3}),
		Other:    open(asr.Engine{Model: "another script"}),
		Patience: time.Minute,
		NoSpeech: "it does not listen",
		NoKill:   "it has no process",
	})
}
