package asrtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/asr"
)

// rate of all recordings, in Hz.
const rate = 16000

// sound is a recording before it becomes an utterance.
type sound struct {
	name     string
	samples  []byte // little-endian, 16 bits each
	text     string // "" if unknown
	language string
}

func (s sound) duration() time.Duration {
	return time.Duration(len(s.samples)/2) * time.Second / rate
}

// wav is the recording as a file.
func (s sound) wav() []byte {
	size := uint32(len(s.samples))
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, 36+size)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = binary.LittleEndian.AppendUint32(b, rate*2)
	b = append(b, "\x02\x00\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, size)
	return append(b, s.samples...)
}

// id is as the runner makes them.
func (s sound) id() string {
	sum := sha256.Sum256([]byte(s.name))
	return hex.EncodeToString(sum[:8])
}

func silence(length time.Duration) sound {
	return sound{name: fmt.Sprintf("silence %v", length), samples: make([]byte, 2*samples(length))}
}

func tone(hertz int, length time.Duration) sound {
	s := sound{name: fmt.Sprintf("tone %d Hz %v", hertz, length)}
	for i := range samples(length) {
		value := 8000 * math.Sin(2*math.Pi*float64(hertz)*float64(i)/rate)
		s.samples = binary.LittleEndian.AppendUint16(s.samples, uint16(int16(value)))
	}
	return s
}

func samples(length time.Duration) int { return int(length * rate / time.Second) }

// load reads a Clip.
func load(t *testing.T, i int, clip Clip) sound {
	t.Helper()
	info, err := asr.Inspect(t.Context(), clip.Path)
	if err != nil {
		t.Fatalf("Harness.Speech[%d]: %v", i, err)
	}
	if info.SampleRate != rate || info.Channels != 1 || info.Format != "PCM" {
		t.Fatalf("Harness.Speech[%d]: %s is %+v, must be PCM of 16 bits, 16 kHz, mono", i, clip.Path, info)
	}
	file, err := os.ReadFile(clip.Path)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("clip %d %s", i, filepath.Base(clip.Path))
	s := sound{name: name, samples: data(file), text: clip.Text, language: clip.Language}
	if d := s.duration() - info.Duration; d.Abs() > time.Millisecond {
		t.Fatalf("Harness.Speech[%d]: %s is not of 16 bits", i, clip.Path)
	}
	return s
}

// data is the content of a WAV file's data chunk.
func data(file []byte) []byte {
	for rest := file[min(12, len(file)):]; len(rest) >= 8; {
		size := min(int(binary.LittleEndian.Uint32(rest[4:])), len(rest)-8)
		if string(rest[:4]) == "data" {
			return rest[8 : 8+size&^1]
		}
		rest = rest[min(len(rest), 8+size+size&1):]
	}
	return nil
}

// long gives recordings that keep an engine busy for a while.
func (s *suite) long(about asr.Engine) []sound {
	length := 30 * time.Second
	if about.MaxAudio > 0 {
		length = min(length, about.MaxAudio)
	}
	var many []sound
	for i := range limit(about, 3) {
		one := tone(300+100*i, length)
		if len(s.speech) > 0 {
			clip := s.speech[i%len(s.speech)]
			again := samples(length)*2/max(2, len(clip.samples)) + 1
			one.samples = bytes.Repeat(clip.samples, again)[:len(one.samples)]
			one.language = clip.language
		}
		one.name = fmt.Sprintf("long %d", i)
		many = append(many, one)
	}
	return many
}

// utterance hands a recording over as the runner does: a copy in its scope,
// made of a file with a name that a person would give.
func (p *session) utterance(t *testing.T, s sound) asr.Utterance {
	t.Helper()
	source := filepath.Join(p.suite.watched.sources, s.name+", Ann's (Work) ä.wav")
	p.suite.watched.write(t, source, s.wav())
	staged, err := p.scope.Stage(context.Background(), source)
	if err != nil {
		t.Fatal(err)
	}
	u := asr.Utterance{ID: s.id(), Path: staged.Path, Duration: s.duration(), Language: s.language}
	u.Source.AudioPath, u.Source.Lang = source, s.language
	return u
}

func (p *session) utterances(t *testing.T, sounds ...sound) []asr.Utterance {
	t.Helper()
	batch := make([]asr.Utterance, len(sounds))
	for i, s := range sounds {
		batch[i] = p.utterance(t, s)
	}
	return batch
}
