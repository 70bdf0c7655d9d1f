package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"iter"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/retry"
)

// engine hears the checksum of a recording's sound: it is the files that are on
// trial, not the recognition.
type engine struct{ files retry.FS }

func (engine) Engine() asr.Engine {
	return asr.Engine{Name: "lockstorm", Model: "sha256", Fingerprint: "lockstorm/1"}
}

func (engine) Close() error { return nil }

func (e engine) Transcribe(ctx context.Context, batch []asr.Utterance) iter.Seq2[asr.Transcript, error] {
	return func(yield func(asr.Transcript, error) bool) {
		for _, u := range batch {
			recording, err := e.files.ReadFile(ctx, u.Path)
			if err != nil {
				err = &asr.UtteranceError{ID: u.ID, Err: err}
			}
			if !yield(asr.Transcript{ID: u.ID, Text: hear(recording)}, err) {
				return
			}
		}
	}
}

func hear(recording []byte) string {
	sum := sha256.Sum256(recording)
	return hex.EncodeToString(sum[:])
}

// recording is a WAV file, 16 kHz, mono, 16 bit, of a sound.
func recording(sound []byte) []byte {
	var b bytes.Buffer
	b.WriteString("RIFF")
	binary.Write(&b, binary.LittleEndian, uint32(36+len(sound)))
	b.WriteString("WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data")
	binary.Write(&b, binary.LittleEndian, uint32(len(sound)))
	b.Write(sound)
	return b.Bytes()
}
