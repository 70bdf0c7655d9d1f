package audio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/proc"
	"github.com/holdfast-go/holdfast/retry"
)

// FFmpeg decodes what is no WAV file, video too. Each call runs the program
// once; it gets no shell, no input, no network, and no file but the one named.
type FFmpeg struct {
	Path string   // of the program, see FindFFmpeg
	Env  []string // all of its environment; nil: this process's own
	Dir  string   // its working directory; "": this process's own

	// Limit is how many bytes Decode writes before it gives up, so that a file
	// that unpacks to more than a disk holds cannot fill it. 32,000 bytes are a
	// second. 0: as much as the header of a WAV file can count, 37 hours.
	Limit int64

	FS       retry.FS
	Guardian *proc.Guardian // see proc.Command
}

// Media is what the decoder says of a file.
type Media struct {
	Container string // ffmpeg's name, such as "mov,mp4,m4a,3gp,3g2,mj2"
	Codec     string // of the first audio stream: "aac"
	Channels  int    // 0: not known
	// SampleRate is in Hz, before the conversion to Rate.
	SampleRate int
	// Duration is what the file says, 0 if it does not. A video's picture counts
	// too.
	Duration time.Duration
	// Estimated: Duration was calculated from the bit rate.
	Estimated bool

	streams int // of sound and of moving pictures
}

// ErrNoFFmpeg says that there is no ffmpeg.
var ErrNoFFmpeg = errors.New("no ffmpeg found")

// FindFFmpeg finds the program: path, or "ffmpeg" on the PATH if that is empty.
// The error is ErrNoFFmpeg where there is none.
func FindFFmpeg(path string) (FFmpeg, error) {
	if path == "" {
		path = "ffmpeg"
	}
	found, err := exec.LookPath(path)
	if err != nil {
		return FFmpeg{}, fmt.Errorf("%w: %w", ErrNoFFmpeg, err)
	}
	found, err = filepath.Abs(found)
	return FFmpeg{Path: found}, err
}

// demuxers are the formats that ffmpeg may open: those that hold their sound
// themselves. Playlists, scripts, session descriptions and patterns of file names
// (hls, dash, concat, sdp, image2 ...) are not among them, since they make ffmpeg
// read other files, which a hostile file would choose.
const demuxers = "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dts,dtshd,eac3,flac,flv,gsm,loas,matroska,webm," +
	"mov,mp4,m4a,3gp,3g2,mj2,mp3,mpc,mpc8,mpeg,mpegts,mxf,nut,ogg,rm,sox,spx,tak,tta,voc,w64,wav,wtv,wv,xwma"

// Probe says what is in a file, without decoding more than its beginning. What
// is not sound gives a *FormatError.
func (f FFmpeg) Probe(ctx context.Context, path string) (Media, error) {
	said, err := f.run(ctx, path, "-t", "0.1", "-f", "null", "-")
	return said.media, err
}

// Decode makes a WAV file at dst, which must not exist: the first audio stream of
// src as 16 kHz, one channel, 16 bit PCM, beginning where the picture begins if
// there is one. What is not sound, and what was cut short or decodes to less than
// the file says, gives a *FormatError. After any error the caller has to remove
// what is at dst.
func (f FFmpeg) Decode(ctx context.Context, src, dst string) (Media, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = headerSize + 2*maxFrames
	}
	output, err := fileURL(dst)
	if err != nil {
		return Media{}, err
	}
	said, err := f.run(ctx, src, "-ac", "1", "-ar", strconv.Itoa(Rate),
		// Silence up to the first sample if it is later than 100 ms, and the rest as
		// it comes: ffmpeg would also drop sound where time stamps overlap.
		"-af", "aresample=first_pts=0:min_comp=0.1:min_hard_comp=1000000",
		"-c:a", "pcm_s16le", "-map_metadata", "-1", "-fflags", "+bitexact", "-fs", strconv.FormatInt(limit, 10),
		"-f", "wav", output)
	if err != nil {
		return said.media, err
	}
	got, size, err := f.inspect(ctx, dst)
	if err != nil {
		return said.media, err
	}
	if size >= limit {
		return said.media, bad("too long: decoded it has more than %v, the limit of %d bytes", got.Duration.Round(time.Second), limit)
	}
	return said.media, said.complete(got.Duration)
}

// inspect reads the header of what was decoded.
func (f FFmpeg) inspect(ctx context.Context, path string) (Info, int64, error) {
	file, err := f.FS.Open(ctx, path)
	if err != nil {
		return Info{}, 0, err
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil {
		return Info{}, 0, err
	}
	info, err := Inspect(file, stat.Size())
	if err == nil && !info.Ready() {
		err = fmt.Errorf("ffmpeg left an incomplete file at %s", path)
	}
	return info, stat.Size(), err
}

// run runs ffmpeg over one input.
func (f FFmpeg) run(ctx context.Context, path string, output ...string) (*messages, error) {
	said := &messages{}
	input, err := fileURL(path)
	if err != nil {
		return said, err
	}
	said.input = input
	if err := f.check(ctx, path); err != nil {
		return said, err
	}
	args := append([]string{
		"-hide_banner", "-nostdin", "-nostats", "-n", "-loglevel", "repeat+level+info",
		"-protocol_whitelist", "file", "-format_whitelist", demuxers,
		"-vn", "-sn", "-dn", "-i", input, "-map", "0:a:0",
	}, output...)
	_, err = proc.Run(ctx, proc.Command{
		Path: f.Path, Args: args, Env: f.environment(), Dir: f.Dir,
		Stderr: said.add, Guardian: f.Guardian,
	})
	if exit, ok := errors.AsType[*proc.ExitError](err); ok && ctx.Err() == nil {
		return said, said.failure(exit)
	}
	return said, err
}

// check looks at the input before ffmpeg does.
func (f FFmpeg) check(ctx context.Context, path string) error {
	file, err := f.FS.Open(ctx, path)
	if err != nil {
		return err
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil {
		return err
	}
	return checkEnding(file, stat.Size())
}

// environment is without what changes ffmpeg's messages, or makes it write a log
// file wherever it was told to.
func (f FFmpeg) environment() []string {
	env := f.Env
	if env == nil {
		env = os.Environ()
	}
	clean := make([]string, 0, len(env)+1)
	for _, v := range env {
		if name, _, _ := strings.Cut(v, "="); !strings.EqualFold(name, "FFREPORT") {
			clean = append(clean, v)
		}
	}
	return append(clean, "AV_LOG_FORCE_NOCOLOR=1")
}

// fileURL is a name that ffmpeg takes for a file, whatever is in it: without the
// scheme "-x" is an option and "a:b" a protocol.
func fileURL(path string) (string, error) {
	abs, err := filepath.Abs(path)
	return "file:" + abs, err
}
