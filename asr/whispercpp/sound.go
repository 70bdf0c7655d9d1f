package whispercpp

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/internal/audio"
	"github.com/holdfast-go/holdfast/retry"
)

// whisper.cpp of 2024 gives an empty transcript for sound of a second or less,
// whatever was said in it (measured: nothing up to 1.01 s, words from 1.1 s;
// with silence behind them the same recordings are understood).
const (
	shortest = 1200 * time.Millisecond
	padded   = 1500 * time.Millisecond
)

// sound opens the recording for as long as the engine reads it. On Windows this
// waits for a scanner that has it open alone, and then keeps it out. What the
// engine gets is a copy in dir if the sound is too short for it, or if the path
// is one that it does not understand.
//
// The engine itself reads a damaged recording as far as it goes and says
// nothing, and that of 2024 hears nothing in one of another format.
func (t *Transcriber) sound(ctx context.Context, dir, path string) (*retry.File, audio.Info, error) {
	files := t.config.FS
	f, err := files.Open(ctx, path)
	if err != nil {
		return nil, audio.Info{}, err
	}
	fail := func(err error) (*retry.File, audio.Info, error) {
		return nil, audio.Info{}, errors.Join(err, f.Close())
	}
	stat, err := f.Stat()
	if err != nil {
		return fail(err)
	}
	info, err := audio.Inspect(f, stat.Size())
	if _, ok := errors.AsType[*audio.FormatError](err); ok {
		return fail(fmt.Errorf("%w: %w", asr.ErrBadAudio, err))
	}
	if err != nil {
		return fail(err)
	}
	switch {
	case info.Truncated:
		return fail(fmt.Errorf("%w: the file ends after %v, before its header says so", asr.ErrBadAudio, info.Duration.Round(time.Millisecond)))
	case info.Frames == 0:
		return fail(fmt.Errorf("%w: the recording is empty", asr.ErrBadAudio))
	case !info.Ready():
		return fail(fmt.Errorf("%w: the engine needs 16 kHz, mono, 16-bit PCM WAV", asr.ErrBadAudio))
	}
	relative, err := filepath.Rel(dir, path)
	if err == nil && isASCII(relative) && info.Duration >= shortest {
		return f, info, nil
	}
	copied := filepath.Join(dir, "in.wav")
	if info.Duration >= shortest {
		err = files.Link(ctx, path, copied)
	} else {
		err = t.pad(ctx, copied, f, info)
	}
	if err != nil {
		return fail(err)
	}
	if err := f.Close(); err != nil {
		return nil, info, err
	}
	f, err = files.Open(ctx, copied)
	return f, info, err
}

// pad puts silence behind a short recording.
func (t *Transcriber) pad(ctx context.Context, path string, in *retry.File, info audio.Info) error {
	out, err := t.config.FS.Create(ctx, path)
	if err != nil {
		return err
	}
	return errors.Join(audio.Pad(out, in, info, padded), out.Close())
}
