package asr

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/audio"
	"github.com/holdfast-go/holdfast/retry"
)

// Audio is what a recording says of itself, checked against its size.
type Audio struct {
	Format     string // "PCM", "float", "A-law", "µ-law"; of what is no WAV file, ffmpeg's name of the codec
	Channels   int
	SampleRate int           // Hz
	Duration   time.Duration // 0: the file does not say
}

// Inspect reads the header of a recording; ffmpeg, if it is on the PATH, does so
// where it is no WAV file. What cannot be transcribed gives [ErrBadAudio] with
// the reason, among it a recording that is not complete: an engine would read it
// as far as it goes and say nothing.
func Inspect(ctx context.Context, path string) (Audio, error) {
	info, err := inspect(ctx, retry.FS{}, path)
	if isForeign(err) {
		if ffmpeg, missing := audio.FindFFmpeg(""); missing == nil {
			return probe(ctx, ffmpeg, path)
		}
	}
	if err != nil {
		return Audio{}, fmt.Errorf("inspect %s: %w", path, err)
	}
	return Audio{Format: info.Format.String(), Channels: info.Channels, SampleRate: info.SampleRate, Duration: info.Duration}, nil
}

func probe(ctx context.Context, ffmpeg audio.FFmpeg, path string) (Audio, error) {
	media, err := ffmpeg.Probe(ctx, path)
	if err != nil {
		return Audio{}, fmt.Errorf("inspect %s: %w", path, badAudio(err))
	}
	return Audio{Format: media.Codec, Channels: media.Channels, SampleRate: media.SampleRate, Duration: media.Duration}, nil
}

func inspect(ctx context.Context, fs retry.FS, path string) (audio.Info, error) {
	f, err := fs.Open(ctx, path)
	if err != nil {
		return audio.Info{}, err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return audio.Info{}, err
	}
	info, err := audio.Inspect(f, stat.Size())
	switch {
	case err != nil:
		return info, badAudio(err)
	case info.Truncated:
		return info, fmt.Errorf("%w: the file ends after %v, before its header says so; it was not copied whole", ErrBadAudio, info.Duration.Round(time.Millisecond))
	case info.Streamed:
		return info, fmt.Errorf("%w: the header does not say how long the recording is (it was written to a pipe, or the recorder crashed), "+
			"so nobody can tell whether it is complete; write it again with its length, as ffmpeg -i IN OUT.wav does", ErrBadAudio)
	case info.Frames == 0:
		return info, fmt.Errorf("%w: the recording is empty", ErrBadAudio)
	}
	return info, nil
}

// badAudio marks what the bytes are at fault for, not the reading of them.
func badAudio(err error) error {
	if _, ok := errors.AsType[*audio.FormatError](err); ok {
		return fmt.Errorf("%w: %w", ErrBadAudio, err)
	}
	return err
}
