package asr_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
)

// Each bad input gets an error that names it and says why; the good one beside
// them is transcribed.
func TestBadInput(t *testing.T) {
	b := newBench(t, 1)
	good := wav(1, time.Second)
	streamed := func(size uint32) []byte {
		w := bytes.Clone(good)
		binary.LittleEndian.PutUint32(w[40:], size)
		return w
	}
	want := map[string]string{
		"absent.wav":               "absent.wav",
		b.record("empty.wav", nil): "empty file",
		b.record("text.wav", []byte("hello, this is text")): "looks like text",
		b.record("page.wav", []byte("<html><body>404")):     "looks like HTML",
		b.record("song.mp3", []byte("ID3\x03\x00 etc")):     "looks like MP3",
		b.record("cut.wav", good[:len(good)/2]):             "not copied whole",
		b.record("zero.wav", streamed(0)):                   "how long the recording is",
		b.record("pipe.wav", streamed(0xFFFFFFFF)):          "how long the recording is",
		b.record("silent.wav", wav(0, 0)):                   "empty",
		b.record("header.wav", good[:20]):                   "wav",
	}
	folder := filepath.Join(b.dir, "notes")
	require.NoError(t, os.Mkdir(folder, 0o700))
	want[folder] = "the folder has no audio"

	paths := []string{filepath.Join(b.dir, "000.wav")}
	for path := range want {
		paths = append(paths, path)
	}
	got := map[string]error{}
	done := 0
	o := b.options()
	o.FFmpeg = filepath.Join(b.dir, "no ffmpeg")
	for _, err := range asr.Stream(t.Context(), &fake{}, asr.Files(t.Context(), paths...), o) {
		if err == nil {
			done++
		}
		for failed := range asr.Failures(err) {
			got[failed.Path] = failed
		}
	}
	require.Equal(t, 1, done)
	for path, text := range want {
		require.ErrorContains(t, got[path], text, path)
		require.ErrorContains(t, got[path], filepath.Base(path), path)
		if path != "absent.wav" {
			require.ErrorIs(t, got[path], asr.ErrBadAudio, path)
		}
	}
	require.ErrorIs(t, got["absent.wav"], os.ErrNotExist)
	b.requireNoScope()
}

func TestFilesOfFolder(t *testing.T) {
	b := newBench(t, 2)
	require.NoError(t, os.MkdirAll(filepath.Join(b.dir, "sub", ".hidden"), 0o700))
	b.record("notes.txt", nil)
	b.record(".private.wav", nil)
	b.record(filepath.Join("sub", "Deep.FLAC"), nil)
	b.record(filepath.Join("sub", ".hidden", "x.wav"), nil)
	var names []string
	for e, err := range b.files() {
		require.NoError(t, err)
		rel, err := filepath.Rel(b.dir, e.AudioPath)
		require.NoError(t, err)
		names = append(names, filepath.ToSlash(rel))
	}
	require.Equal(t, []string{"000.wav", "001.wav", "sub/Deep.FLAC"}, names)
}

func TestFilesOfManifest(t *testing.T) {
	b := newBench(t, 1)
	path := b.record("list.jsonl", []byte(`{"audio_filepath": "000.wav", "duration": 1.0, "speaker": "Ann"}
not json
{"audio_filepath": "000.wav", "offset": 0.5, "duration": 0.25}
`))
	var failed []*asr.UtteranceError
	var got []time.Duration
	for transcript, err := range asr.Stream(t.Context(), &fake{}, asr.Files(t.Context(), path), b.options()) {
		if err != nil {
			for f := range asr.Failures(err) {
				failed = append(failed, f)
			}
			continue
		}
		got = append(got, transcript.Duration)
	}
	require.Equal(t, []time.Duration{time.Second, 250 * time.Millisecond}, got)
	require.Len(t, failed, 1)
	require.ErrorContains(t, failed[0], "list.jsonl")
	require.ErrorContains(t, failed[0], "2")

	data, err := os.ReadFile(b.path)
	require.NoError(t, err)
	require.Contains(t, string(data), `"speaker": "Ann"`, "the input's own fields stay in the journal")
}

// A manifest with the words of another engine: they are not taken for this one's,
// and the next run resumes, whatever their shape.
func TestWordsOfAnotherEngine(t *testing.T) {
	b := newBench(t, 1)
	path := b.record("list.jsonl", []byte(`{"audio_filepath": "000.wav", "words": [{"word": "old", "start": 0, "end": 1}]}
{"audio_filepath": "000.wav", "lang": "de", "words": ["old"]}
`))
	for _, resumed := range []bool{false, true} {
		for transcript, err := range asr.Stream(t.Context(), &fake{}, asr.Files(t.Context(), path), b.options()) {
			require.NoError(t, err)
			require.Nil(t, transcript.Words)
			require.Equal(t, resumed, transcript.Resumed)
		}
	}
}

func TestInspect(t *testing.T) {
	b := newBench(t, 1)
	got, err := asr.Inspect(t.Context(), filepath.Join(b.dir, "000.wav"))
	require.NoError(t, err)
	require.Equal(t, asr.Audio{Format: "PCM", Channels: 1, SampleRate: 16000, Duration: time.Second}, got)
}

func TestCountErrors(t *testing.T) {
	for _, c := range []struct {
		ref, hyp string
		want     asr.WordErrors
	}{
		{"", "", asr.WordErrors{}},
		{"a b c", "a b c", asr.WordErrors{Ref: 3}},
		{"a b c", "a x c", asr.WordErrors{Sub: 1, Ref: 3}},
		{"a b c", "a c", asr.WordErrors{Del: 1, Ref: 3}},
		{"a b c", "a b b c d", asr.WordErrors{Ins: 2, Ref: 3}},
		{"", "a", asr.WordErrors{Ins: 1}},
		{"a b", "", asr.WordErrors{Del: 2, Ref: 2}},
	} {
		require.Equal(t, c.want, asr.CountErrors(c.ref, c.hyp), "%q %q", c.ref, c.hyp)
	}
	require.InDelta(t, 1.0/3, asr.CountErrors("a b c", "a x c").WER(), 1e-9)
	require.InDelta(t, 1, asr.CountErrors("", "a").WER(), 1e-9)
}
