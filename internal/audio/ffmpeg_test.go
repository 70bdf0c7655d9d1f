package audio_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/audio"
	"github.com/holdfast-go/holdfast/internal/lane"
	"github.com/holdfast-go/holdfast/internal/proc"
)

// The test binary is also every false ffmpeg of the tests.
func TestMain(m *testing.M) {
	if role := os.Getenv("AUDIO_TEST_ROLE"); role != "" {
		roles[role](os.Args[len(os.Args)-1])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const described = "[info] Input #0, mp3, from 'file:x':\n[info]   Duration: 00:00:10.00, start: 0.0, bitrate: 1 kb/s\n" +
	"[info]   Stream #0:0: Audio: mp3, 44100 Hz, stereo, fltp, 1 kb/s\n"

var roles = map[string]func(output string){
	"hang": func(string) {
		c, err := net.Dial("tcp", os.Getenv("AUDIO_TEST_ADDR"))
		if err != nil {
			os.Exit(9)
		}
		io.Copy(io.Discard, c)
	},
	"flood": func(string) {
		line := "[warning] " + strings.Repeat("x", 200) + "\n"
		for range 100_000 {
			io.WriteString(os.Stderr, line)
			io.WriteString(os.Stdout, line)
		}
		fmt.Fprintln(os.Stderr, "[fatal] enough")
		os.Exit(4)
	},
	"fail":    func(string) { fmt.Fprintln(os.Stderr, "[fatal] Unrecognized option 'x'."); os.Exit(3) },
	"silent":  func(string) { os.Exit(5) },
	"nothing": func(string) { io.WriteString(os.Stderr, described) },
	"full": func(output string) {
		io.WriteString(os.Stderr, described+"[error] av_interleaved_write_frame(): No space left on device\n[error] Invalid data found when processing input\n")
		os.Exit(1)
	},
	"half": func(output string) {
		io.WriteString(os.Stderr, described)
		header := file("RIFF", format(1, 1, 16000, 16), open("data", 1<<20, make([]byte, 32000)))
		os.WriteFile(strings.TrimPrefix(output, "file:"), header, 0o600)
	},
}

// fake is an ffmpeg that plays a role, in a folder with an input for it.
func fake(t *testing.T, role string, env ...string) audio.FFmpeg {
	exe, err := os.Executable()
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("a.mp3", []byte("ID3"), 0o600))
	return audio.FFmpeg{Path: exe, Env: append(append(os.Environ(), "AUDIO_TEST_ROLE="+role), env...), Dir: t.TempDir()}
}

func realFFmpeg(t *testing.T) audio.FFmpeg {
	t.Helper()
	f, err := audio.FindFFmpeg("")
	if err != nil {
		lane.Missing(t, "ffmpeg", "no ffmpeg on the PATH")
	}
	f.Dir = t.TempDir()
	return f
}

// make runs ffmpeg to make a file for a test; nothing of it is under test.
func makeMedia(t *testing.T, f audio.FFmpeg, args ...string) string {
	t.Helper()
	cmd := exec.Command(f.Path, append([]string{"-v", "error", "-nostdin", "-y"}, args...)...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return args[len(args)-1]
}

// Four seconds of tones, one in each ear.
var tones = []string{"-f", "lavfi", "-i", "aevalsrc=sin(2*PI*440*t)/2|sin(2*PI*880*t)/2:s=44100:d=4"}

func with(input []string, more ...string) []string {
	return append(append([]string{}, input...), more...)
}

func decode(t *testing.T, f audio.FFmpeg, src string) (audio.Info, error) {
	t.Helper()
	dst := filepath.Join(t.TempDir(), "out.wav")
	_, err := f.Decode(t.Context(), src, dst)
	if err != nil {
		return audio.Info{}, err
	}
	b, err := os.ReadFile(dst)
	require.NoError(t, err)
	info, err := inspect(b)
	require.NoError(t, err)
	require.True(t, info.Ready())
	return info, nil
}

func requireBad(t *testing.T, err error, words string) {
	t.Helper()
	var format *audio.FormatError
	require.ErrorAs(t, err, &format)
	require.ErrorContains(t, err, words)
}

func TestDecodeFormats(t *testing.T) {
	f := realFFmpeg(t)
	for _, c := range []struct {
		name     string
		args     []string
		codec    string
		channels int
		rate     int
	}{
		{"a.mp3", nil, "mp3", 2, 44100},
		{"a.m4a", []string{"-ac", "1"}, "aac", 1, 44100},
		{"a.flac", []string{"-ar", "48000"}, "flac", 2, 48000},
		{"a.ogg", nil, "vorbis", 2, 44100},
		{"a.webm", []string{"-c:a", "libopus", "-ar", "48000"}, "opus", 2, 48000},
		{"a.aac", nil, "aac", 2, 44100},
		{"a.wma", nil, "wmav2", 2, 44100},
		{"a.aiff", nil, "pcm_s16be", 2, 44100},
		{"adpcm.wav", []string{"-c:a", "adpcm_ima_wav"}, "adpcm_ima_wav", 2, 44100},
		{"six.mka", []string{"-c:a", "flac", "-af", "pan=5.1|FC=c0|FL=c1"}, "flac", 6, 44100},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := makeMedia(t, f, with(tones, append(c.args, filepath.Join(t.TempDir(), c.name))...)...)
			media, err := f.Probe(t.Context(), path)
			require.NoError(t, err)
			require.Equal(t, c.codec, media.Codec)
			require.Equal(t, c.channels, media.Channels)
			require.Equal(t, c.rate, media.SampleRate)
			if !media.Estimated {
				require.InDelta(t, 4, media.Duration.Seconds(), 0.2)
			}
			info, err := decode(t, f, path)
			require.NoError(t, err)
			require.InDelta(t, 4, info.Duration.Seconds(), 0.2)
		})
	}
}

// Every kind of WAV file that ffmpeg writes becomes what ffmpeg makes of it.
func TestConvertLikeFFmpeg(t *testing.T) {
	f := realFFmpeg(t)
	for _, c := range []struct {
		name     string
		args     []string
		format   audio.Format
		streamed bool
	}{
		{"u8", []string{"-c:a", "pcm_u8"}, audio.PCM, false},
		{"s16, bext", []string{"-c:a", "pcm_s16le", "-write_bext", "1", "-metadata", "title=odd"}, audio.PCM, false},
		{"s24", []string{"-c:a", "pcm_s24le", "-ar", "48000"}, audio.PCM, false},
		{"s32, mono", []string{"-c:a", "pcm_s32le", "-ac", "1"}, audio.PCM, false},
		{"float", []string{"-c:a", "pcm_f32le", "-ar", "96000"}, audio.Float, false},
		{"double", []string{"-c:a", "pcm_f64le"}, audio.Float, false},
		{"A-law", []string{"-c:a", "pcm_alaw", "-ar", "8000"}, audio.ALaw, false},
		{"mu-law", []string{"-c:a", "pcm_mulaw", "-ar", "8000"}, audio.MuLaw, false},
		{"RF64", []string{"-rf64", "always", "-ar", "11025"}, audio.PCM, false},
		{"six channels", []string{"-af", "pan=5.1|FC=c0+c1", "-c:a", "pcm_s24le"}, audio.PCM, false},
		{"stream", []string{"-ar", "22050"}, audio.PCM, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "in.wav")
			if c.streamed {
				out, err := exec.Command(f.Path, with(tones, append(c.args, "-f", "wav", "pipe:1")...)...).Output()
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(path, out, 0o600))
			} else {
				makeMedia(t, f, with(tones, append(c.args, path)...)...)
			}
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			info, err := inspect(b)
			require.NoError(t, err)
			require.Equal(t, c.format, info.Format)
			require.Equal(t, c.streamed, info.Streamed)
			require.False(t, info.Truncated)
			require.Equal(t, 4*time.Second, info.Duration)

			ours := convertAs(t, b, info)
			dst := filepath.Join(t.TempDir(), "out.wav")
			_, err = f.Decode(t.Context(), path, dst)
			if c.streamed {
				requireBad(t, err, "does not say how long")
			} else {
				require.NoError(t, err)
			}
			b, err = os.ReadFile(dst)
			require.NoError(t, err)
			theirs := samples(b[44:])
			require.InDelta(t, len(theirs), len(ours), 2)
			cross, power := 0.0, 0.0 // channels are mixed by other weights
			for i := range min(len(ours), len(theirs)) {
				cross += float64(ours[i]) * float64(theirs[i])
				power += float64(theirs[i]) * float64(theirs[i])
			}
			gain, noise := cross/power, 0.0
			for i := range min(len(ours), len(theirs)) {
				d := float64(ours[i]) - gain*float64(theirs[i])
				noise += d * d
			}
			snr := 10 * math.Log10(gain*gain*power/noise)
			t.Logf("%.1f dB, gain %.2f", snr, gain)
			require.Greater(t, snr, 35.0)
		})
	}
}

func video(t *testing.T, f audio.FFmpeg, name string, more ...string) string {
	picture := []string{"-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=6"}
	return makeMedia(t, f, append(append(with(picture, tones...), "-c:v", "mpeg4"), append(more, filepath.Join(t.TempDir(), name))...)...)
}

func TestDecodeVideo(t *testing.T) {
	f := realFFmpeg(t)
	for _, name := range []string{"v.mp4", "v.mkv", "v.avi"} {
		info, err := decode(t, f, video(t, f, name))
		require.NoError(t, err, name)
		require.InDelta(t, 4, info.Duration.Seconds(), 0.2, name)
	}
	// What Opus puts before the sound is no delay: nothing is moved.
	same, err := decode(t, f, makeMedia(t, f, with(tones, "-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=4", "-c:v", "mpeg4", "-c:a", "libopus", "-ar", "48000",
		filepath.Join(t.TempDir(), "same.mkv"))...))
	require.NoError(t, err)
	require.EqualValues(t, 4*audio.Rate, same.Frames)
	// Sound that begins after the picture keeps its time.
	picture := video(t, f, "v.mp4")
	late := makeMedia(t, f, "-i", picture, "-itsoffset", "2", "-i", picture, "-map", "0:v", "-map", "1:a", "-c", "copy",
		filepath.Join(t.TempDir(), "late.mkv"))
	info, err := decode(t, f, late)
	require.NoError(t, err)
	require.InDelta(t, 6, info.Duration.Seconds(), 0.2)

	mute := makeMedia(t, f, "-i", picture, "-an", "-c", "copy", filepath.Join(t.TempDir(), "mute.mp4"))
	_, err = decode(t, f, mute)
	requireBad(t, err, "no audio stream")
	_, err = f.Probe(t.Context(), mute)
	requireBad(t, err, "no audio stream")
}

// A picture of the cover is no video, so the length of the sound is known.
func TestDecodeCover(t *testing.T) {
	f := realFFmpeg(t)
	dir := t.TempDir()
	cover := makeMedia(t, f, "-f", "lavfi", "-i", "testsrc=s=64x48:d=1", "-frames:v", "1", filepath.Join(dir, "cover.png"))
	path := makeMedia(t, f, with(tones, "-i", cover, "-map", "0", "-map", "1", "-disposition:v", "attached_pic", filepath.Join(dir, "a.mp3"))...)
	_, err := decode(t, f, path)
	require.NoError(t, err)
	_, err = decode(t, f, cut(t, path, 60))
	requireBad(t, err, "damaged or cut short")
}

// cut copies a part of a file, in percent.
func cut(t *testing.T, path string, percent int) string {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	short := filepath.Join(t.TempDir(), filepath.Base(path))
	require.NoError(t, os.WriteFile(short, b[:len(b)*percent/100], 0o600))
	return short
}

// ffmpeg ends well over most of these.
func TestDecodeCutShort(t *testing.T) {
	f := realFFmpeg(t)
	for _, c := range []struct{ name, want string }{
		{"a.mp3", "s of the 4."},
		{"a.m4a", "the index at the end of the file is missing"},
		{"fast.m4a", "damaged or cut short: only"},
		{"a.flac", "s of the 4s that the file claims"},
		{"a.mka", "File ended prematurely"},
		{"a.aiff", "s of the 4s that the file claims"},
		{"a.caf", "it ends inside a packet"},
		{"a.w64", "it ends inside a packet"},
		{"adpcm.wav", "damaged or cut short"},
		{"a.ogg", "cut short: the file ends inside a page of Ogg"},
		{"a.opus", "cut short: the file ends inside a page of Ogg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := tones
			switch c.name {
			case "fast.m4a":
				args = with(tones, "-movflags", "+faststart")
			case "adpcm.wav":
				args = with(tones, "-c:a", "adpcm_ima_wav")
			}
			_, err := decode(t, f, cut(t, makeMedia(t, f, with(args, filepath.Join(t.TempDir(), c.name))...), 60))
			requireBad(t, err, c.want)
		})
	}
	for _, name := range []string{"fast.mp4", "v.mkv", "v.mp4", "v.avi"} {
		t.Run(name, func(t *testing.T) {
			var more []string
			if name == "fast.mp4" {
				more = []string{"-movflags", "+faststart"}
			}
			_, err := decode(t, f, cut(t, video(t, f, name, more...), 60))
			requireBad(t, err, "cut short")
		})
	}
}

func TestDecodeNoSound(t *testing.T) {
	f := realFFmpeg(t)
	dir := t.TempDir()
	noise := make([]byte, 50000)
	for i := range noise {
		noise[i] = byte(i * i * i >> 5)
	}
	for name, content := range map[string][]byte{"noise.mp3": noise, "empty.m4a": nil, "short.ogg": []byte("OggS\x00"), "text.flac": []byte("hello\n")} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		_, err := decode(t, f, path)
		requireBad(t, err, "damaged")
	}
	_, err := decode(t, f, filepath.Join(dir, "missing.mp3"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// A name is a name, whatever ffmpeg would make of it.
func TestDecodeHostileNames(t *testing.T) {
	f := realFFmpeg(t)
	dir := t.TempDir()
	sound, err := os.ReadFile(makeMedia(t, f, with(tones, filepath.Join(dir, "a.mp3"))...))
	require.NoError(t, err)
	t.Chdir(dir)
	f.Dir = t.TempDir()
	for _, name := range []string{
		"-x.mp3", "a b'ü.m4a", "%03d.mp3", "100%.mp3", "pipe:0", "concat:a.mp3|a.mp3", "http:x", "file:a.mp3", "a\nb.mp3", "$(id).mp3", "[info] x", `a"b\c`, "日本.mp3",
	} {
		if os.WriteFile(name, sound, 0o600) != nil {
			t.Logf("this system does not allow the name %q", name)
			continue
		}
		out := "out " + name
		media, err := f.Decode(t.Context(), name, out)
		require.NoError(t, err, name)
		require.Equal(t, "mp3", media.Container, name)
		require.FileExists(t, out)
	}
	_, err = f.Decode(t.Context(), "-x.mp3", "out -x.mp3")
	require.ErrorContains(t, err, "already exists", "it was overwritten")
}

// What makes a player open other files must not do so here.
func TestDecodeOpensNoOtherFile(t *testing.T) {
	f := realFFmpeg(t)
	dir := t.TempDir()
	secret := makeMedia(t, f, with(tones, filepath.Join(dir, "secret.mp3"))...)
	segment := makeMedia(t, f, with(tones, filepath.Join(dir, "secret.ts"))...)
	for name, content := range map[string]string{
		"m3u8":     "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:" + segment + "\n#EXT-X-ENDLIST\n",
		"ffconcat": "ffconcat version 1.0\nfile '" + secret + "'\n",
		"sdp":      "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
		"mpd": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT10S"><Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>file:` +
			secret + `</BaseURL></Representation></AdaptationSet></Period></MPD>`,
		"pls": "[playlist]\nFile1=" + secret + "\n",
	} {
		for _, ext := range []string{".mp3", "", "." + name} {
			path := filepath.Join(dir, name+ext)
			require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
			_, err := decode(t, f, path)
			var format *audio.FormatError
			require.ErrorAs(t, err, &format, path)
		}
	}
}

// Minutes of silence are a few kilobytes; they must not become a full disk.
func TestDecodeIsLimited(t *testing.T) {
	f := realFFmpeg(t)
	path := makeMedia(t, f, "-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono:d=3600", filepath.Join(t.TempDir(), "bomb.flac"))
	f.Limit = 1 << 20
	dst := filepath.Join(t.TempDir(), "out.wav")
	_, err := f.Decode(t.Context(), path, dst)
	requireBad(t, err, "the limit of 1048576 bytes")
	info, err := os.Stat(dst)
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(1<<20+1<<17))

	f.Limit = 0
	got, err := decode(t, f, path)
	require.NoError(t, err)
	require.Equal(t, time.Hour, got.Duration)
}

// FFREPORT makes ffmpeg write a log into its working directory.
func TestDecodeWritesOneFile(t *testing.T) {
	t.Setenv("FFREPORT", "level=48")
	t.Setenv("AV_LOG_FORCE_COLOR", "1")
	f := realFFmpeg(t)
	path := filepath.Join(t.TempDir(), "a.m4a")
	b := testdata(t, "speech-22050.wav")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	media, err := f.Decode(t.Context(), path, filepath.Join(t.TempDir(), "out.wav"))
	require.NoError(t, err)
	require.Equal(t, "pcm_s16le", media.Codec)
	left, err := os.ReadDir(f.Dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestFindFFmpeg(t *testing.T) {
	_, err := audio.FindFFmpeg(filepath.Join(t.TempDir(), "ffmpeg"))
	require.ErrorIs(t, err, audio.ErrNoFFmpeg)
	t.Setenv("PATH", t.TempDir())
	_, err = audio.FindFFmpeg("")
	require.ErrorIs(t, err, audio.ErrNoFFmpeg)
}

func TestCancelKillsFFmpeg(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	f := fake(t, "hang", "AUDIO_TEST_ADDR="+l.Addr().String())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := f.Decode(ctx, "a.mp3", filepath.Join(f.Dir, "out.wav"))
		done <- err
	}()
	c, err := l.Accept()
	require.NoError(t, err)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	n, _ := io.Copy(io.Discard, c) // ends when the process does
	require.Zero(t, n)
}

// What ffmpeg, and not the file, is at fault for is no FormatError.
func TestDecodeFailures(t *testing.T) {
	for role, want := range map[string]string{
		"flood":   "ffmpeg: exit code 4: enough",
		"fail":    "ffmpeg: exit code 3: Unrecognized option 'x'.",
		"full":    "No space left on device",
		"silent":  "exit code 5",
		"half":    "ffmpeg left an incomplete file",
		"nothing": "",
	} {
		t.Run(role, func(t *testing.T) {
			f := fake(t, role)
			_, err := f.Decode(t.Context(), "a.mp3", filepath.Join(f.Dir, "out.wav"))
			require.ErrorContains(t, err, want)
			var format *audio.FormatError
			require.NotErrorAs(t, err, &format)
			switch role {
			case "nothing":
				require.ErrorIs(t, err, fs.ErrNotExist)
			case "silent":
				var exit *proc.ExitError
				require.ErrorAs(t, err, &exit)
			}
		})
	}
}
