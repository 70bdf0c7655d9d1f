package whispercpp

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/internal/audio"
)

// whisper.cpp of 2024 gives an empty transcript for sound of a second or less,
// whatever was said in it (measured: nothing up to 1.01 s, words from 1.1 s;
// with silence behind them the same recordings are understood).
const (
	shortest = 1200 * time.Millisecond
	padded   = 1500 * time.Millisecond
)

// pad gives the path of the utterance's sound, or of a copy in dir with silence
// behind it where the sound is too short for the engine.
func (t *Transcriber) pad(ctx context.Context, dir string, u asr.Utterance) (string, error) {
	if u.Duration >= shortest {
		return u.Path, nil
	}
	in, err := t.config.FS.Open(ctx, u.Path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	stat, err := in.Stat()
	if err != nil {
		return "", err
	}
	info, err := audio.Inspect(in, stat.Size())
	if err != nil || !info.Ready() || info.Duration >= shortest {
		return u.Path, nil // let the engine say what it thinks of it
	}
	out, err := t.config.FS.Create(ctx, filepath.Join(dir, "in.wav"))
	if err != nil {
		return "", err
	}
	return out.Name(), errors.Join(audio.Pad(out, in, info, padded), out.Close())
}
