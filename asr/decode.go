package asr

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/audio"
)

// isForeign tells whether something is sound, but in no format that is read
// here.
func isForeign(err error) bool {
	format, ok := errors.AsType[*audio.FormatError](err)
	return ok && format.Foreign
}

// decode puts what ffmpeg makes of a staged file in its place.
func (f *feeder) decode(ctx context.Context, s *source, foreign error) error {
	ffmpeg, err := f.ffmpeg()
	if err != nil {
		return fmt.Errorf("%w; install ffmpeg, which then reads it, or convert it to WAV (%w)", foreign, err)
	}
	f.files++
	decoded := f.scope.Path(fmt.Sprintf("u%d.wav", f.files))
	if _, err = ffmpeg.Decode(ctx, s.staged, decoded); err != nil {
		f.discard(decoded)
		return badAudio(err)
	}
	f.discard(s.staged)
	s.staged = decoded
	s.info, err = inspect(ctx, f.opts.FS, decoded)
	return err
}

// ffmpeg gives the program, kept to the run's scope.
func (r *runner) ffmpeg() (audio.FFmpeg, error) {
	ffmpeg, err := audio.FindFFmpeg(r.opts.FFmpeg)
	ffmpeg.FS, ffmpeg.Env, ffmpeg.Dir = r.opts.FS, r.scope.Env(), r.scope.Path()
	return ffmpeg, err
}
