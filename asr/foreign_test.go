package asr_test

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/internal/lane"
	"github.com/holdfast-go/holdfast/manifest"
)

// What is no WAV file goes through ffmpeg, stretches of it too, and a long one is
// cut like any other.
func TestForeignRecordings(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		lane.Missing(t, "ffmpeg", "no ffmpeg on the PATH")
	}
	b := newBench(t, 0)
	wav := b.record("talk.wav", speech(10)) // 15 s
	flac, video := filepath.Join(b.dir, "-talk, part 1.flac"), filepath.Join(b.dir, "Ann's talk.mkv")
	require.NoError(t, exec.Command(ffmpeg, "-v", "error", "-i", wav, "file:"+flac).Run())
	require.NoError(t, exec.Command(ffmpeg, "-v", "error", "-i", wav, "-f", "lavfi", "-i", "color=s=16x16:d=15", "-shortest", "-c:a", "flac", video).Run())

	info, err := asr.Inspect(t.Context(), flac)
	require.NoError(t, err)
	require.Equal(t, asr.Audio{Format: "flac", Channels: 1, SampleRate: 16000, Duration: 15 * time.Second}, info)

	in := func(yield func(manifest.Entry, error) bool) {
		_ = yield(manifest.Entry{AudioPath: flac}, nil) &&
			yield(manifest.Entry{AudioPath: video}, nil) &&
			yield(manifest.Entry{AudioPath: flac, Offset: 3 * time.Second, Duration: 3 * time.Second}, nil)
	}
	for range 2 {
		var all []asr.Transcript
		for transcript, err := range asr.Stream(t.Context(), listener(6*time.Second), in, b.options()) {
			require.NoError(t, err)
			all = append(all, transcript)
		}
		require.Len(t, all, 3)
		requireSpeech(t, 10, all[0])
		requireSpeech(t, 10, all[1])
		require.Equal(t, "1002 1003", all[2].Text)
		require.Equal(t, 3*time.Second, all[2].Duration)
	}
	b.requireNoScope()
	b.requireNoParts()
}
