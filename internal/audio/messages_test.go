package audio

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What several versions of ffmpeg say of a file, and what a file's own texts say.
func TestMessages(t *testing.T) {
	for _, c := range []struct {
		name, said string
		want       Media
	}{
		{"ffmpeg 4", `
[info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/x':
[info]   Duration: 01:02:03.50, start: 0.000000, bitrate: 93 kb/s
[info]     Stream #0:0(und): Video: h264 (High) (avc1 / 0x31637661), yuv420p, 160x120, 18 kb/s, 10 fps (default)
[info]     Stream #0:1(und): Audio: aac (LC) (mp4a / 0x6134706D), 44100 Hz, 5.1(side), fltp, 72 kb/s (default)
[info]     Stream #0:2(und): Audio: ac3, 48000 Hz, stereo, fltp, 72 kb/s`,
			Media{Container: "mov,mp4,m4a,3gp,3g2,mj2", Codec: "aac", Channels: 6, SampleRate: 44100, Duration: time.Hour + 2*time.Minute + 3500*time.Millisecond, streams: 3}},
		{"ffmpeg 5 to 8", `
[mp3 @ 0x5571] [warning] Estimating duration from bitrate, this may be inaccurate
[info] Input #0, mp3, from 'file:/x':
[info]   Duration: 00:00:10.00, start: 0.025057, bitrate: 128 kb/s
[info]   Stream #0:0: Audio: mp3 (mp3float), 22050 Hz, 3 channels, fltp, 128 kb/s, start 0.025057
[info]   Stream #0:1: Video: png, rgb24(pc), 64x48, 90k tbr, 90k tbn (attached pic)`,
			Media{Container: "mp3", Codec: "mp3", Channels: 3, SampleRate: 22050, Duration: 10 * time.Second, Estimated: true, streams: 1}},
		{"no duration", "[info] Input #0, aac, from 'x':\n[info]   Duration: N/A, bitrate: N/A\n[info]   Stream #0:0: Audio: aac, 8000 Hz, mono, fltp",
			Media{Container: "aac", Codec: "aac", Channels: 1, SampleRate: 8000, streams: 1}},
		{"absurd", "[info]   Duration: 99999999999999999999:00:00.00, start: 0", Media{Duration: 32767 * time.Hour}},
		{"a file's texts", `
[info] Input #0, mp3, from 'file:/x':
[info]   Metadata:
[info]     Duration        : 00:00:01.00, start: 0
[info]     title           : x
[info]                     : Duration: 00:00:02.00, start: 0
[info]                     : Stream #0:0: Audio: flac, 1 Hz, mono
[info]     Stream #0:0     : Audio: flac, 1 Hz, mono`, Media{Container: "mp3"}},
		{"the output", "[info] Output #0, wav, to 'x':\n[info]   Stream #0:0: Audio: pcm_s16le, 16000 Hz, mono, s16, 256 kb/s", Media{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &messages{}
			for line := range strings.SplitSeq(c.said, "\n") {
				m.add([]byte(line))
			}
			require.Equal(t, c.want, m.media)
		})
	}
}

func TestChannels(t *testing.T) {
	for layout, want := range map[string]int{"mono": 1, "stereo": 2, "2.1": 3, "quad(side)": 4, "5.1": 6, "7.1.4": 12, "12 channels": 12, "strange": 0, "": 0} {
		require.Equal(t, want, channels(layout), layout)
	}
}
