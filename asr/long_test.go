package asr_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// speech is a recording in which words, each a number that swings about zero, are
// parted by half a second of silence.
func speech(words int) []byte {
	var samples []byte
	for n := range words {
		for range 8000 {
			samples = binary.LittleEndian.AppendUint16(samples, uint16(1000+n))
			samples = binary.LittleEndian.AppendUint16(samples, uint16(-1000-n))
		}
		samples = append(samples, make([]byte, 16000)...)
	}
	header := wav(0, time.Duration(words)*1500*time.Millisecond)[:44]
	return append(header, samples...)
}

// listener is an engine that hears the words of a speech, with their times.
func listener(maxAudio time.Duration) *fake {
	engine := &fake{maxAudio: maxAudio}
	engine.answer = func(_ context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
		for _, u := range batch {
			if !yield(listen(u), nil) {
				return
			}
		}
	}
	return engine
}

func listen(u asr.Utterance) asr.Transcript {
	samples := readSamples(u.Path)
	t := asr.Transcript{ID: u.ID, Language: "en", Elapsed: time.Millisecond, Words: []asr.Word{}}
	var texts []string
	for i := 0; i < len(samples); i++ {
		if samples[i] == 0 || i > 0 && samples[i-1] != 0 {
			continue
		}
		start := time.Duration(i) * time.Second / 16000
		end := start + time.Second
		text := fmt.Sprint(samples[i])
		texts = append(texts, text)
		segment := asr.Segment{Start: start, End: end, Text: text}
		t.Segments = append(t.Segments, segment)
		t.Words = append(t.Words, asr.Word{Start: start, End: end, Text: text})
		if u.Heard != nil {
			u.Heard(segment)
		}
	}
	t.Text = strings.Join(texts, " ")
	return t
}

// requireSpeech checks that every word of a speech is there, in its place.
func requireSpeech(t *testing.T, words int, got asr.Transcript) {
	t.Helper()
	require.Len(t, got.Segments, words)
	require.Len(t, got.Words, words)
	var texts []string
	for n := range words {
		text := fmt.Sprint(1000 + n)
		texts = append(texts, text)
		start := time.Duration(n) * 1500 * time.Millisecond
		require.Equal(t, asr.Segment{Start: start, End: start + time.Second, Text: text}, got.Segments[n])
		require.Equal(t, asr.Word{Start: start, End: start + time.Second, Text: text}, got.Words[n])
	}
	require.Equal(t, strings.Join(texts, " "), got.Text)
}

// requireNoParts checks that no journal of parts is left.
func (b *bench) requireNoParts() {
	b.t.Helper()
	left, err := filepath.Glob(filepath.Join(b.root.Path(), "cache", "parts", "*"))
	require.NoError(b.t, err)
	require.Empty(b.t, left)
}

func TestLongRecording(t *testing.T) {
	for _, c := range []struct{ engine, option, want time.Duration }{
		{0, 0, 60 * time.Second},
		{10 * time.Second, 0, 10 * time.Second},
		{10 * time.Second, -1, 60 * time.Second},
		{0, 20 * time.Second, 20 * time.Second},
		{10 * time.Second, 20 * time.Second, 20 * time.Second},
	} {
		b := newBench(t, 0)
		b.record("long.wav", speech(40)) // a minute
		engine := listener(c.engine)
		var longest time.Duration
		o := b.options()
		o.MaxAudio = c.option
		o.Trace.Start = func(u asr.Utterance) { longest = max(longest, u.Duration) }
		var heard []asr.Segment
		o.Trace.Segment = func(u asr.Utterance, s asr.Segment) {
			require.Equal(t, time.Minute, u.Duration, "the recording, not the part")
			heard = append(heard, s)
		}
		var all []asr.Transcript
		for transcript, err := range asr.Stream(t.Context(), engine, b.files(), o) {
			require.NoError(t, err)
			all = append(all, transcript)
		}
		require.Len(t, all, 1)
		requireSpeech(t, 40, all[0])
		require.Equal(t, time.Minute, all[0].Duration)
		require.Equal(t, "en", all[0].Language)
		require.False(t, all[0].Resumed)
		require.Equal(t, all[0].Segments, heard)
		require.LessOrEqual(t, longest, c.want)
		require.Greater(t, longest, c.want/2)
		require.Len(t, b.kept(), 1, "the journal has the recording, not its parts")
		b.requireNoParts()
		b.requireNoScope()
	}
}

// A long recording of which a part fails: the recording fails, its other parts
// are kept, and the next run transcribes the failed one alone.
func TestLongRecordingResumes(t *testing.T) {
	b := newBench(t, 0)
	b.record("long.wav", speech(40))
	first := listener(10 * time.Second)
	hear := first.answer
	first.answer = func(ctx context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
		if first.calls == 3 {
			yield(asr.Transcript{}, &asr.UtteranceError{ID: batch[0].ID, Err: errors.New("too loud")})
			return
		}
		hear(ctx, batch, yield)
	}
	report, err := asr.Run(t.Context(), first, b.files(), b.options())
	require.ErrorContains(t, err, "long.wav: too loud")
	failed, _ := errors.AsType[*asr.UtteranceError](err)
	id := failed.ID
	require.Equal(t, 1, report.Failed)
	require.Greater(t, first.calls, 5)

	b.reopen()
	again := listener(10 * time.Second)
	for transcript, err := range asr.Stream(t.Context(), again, b.files(), b.options()) {
		require.NoError(t, err)
		requireSpeech(t, 40, transcript)
		require.Equal(t, id, transcript.ID, "the recording's, not the part's")
	}
	require.Equal(t, 1, again.calls)
	b.requireNoParts()

	report, err = asr.Run(t.Context(), listener(10*time.Second), b.files(), b.options())
	require.NoError(t, err)
	require.Equal(t, 1, report.Resumed)
}

// Parts that nobody came back to for a month are removed, others stay.
func TestOldPartsAreRemoved(t *testing.T) {
	b := newBench(t, 1)
	dir, err := b.root.Cache(t.Context(), "parts")
	require.NoError(t, err)
	for name, age := range map[string]time.Duration{"old.jsonl": 31 * 24 * time.Hour, "new.jsonl": time.Hour} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(-age)))
	}
	_, err = asr.Run(t.Context(), &fake{}, b.files(), b.options())
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(dir, "old.jsonl"))
	require.FileExists(t, filepath.Join(dir, "new.jsonl"))
}

// Two long recordings and a short one in batches, by two calls at a time: nothing
// is mixed up.
func TestLongRecordingsInParallel(t *testing.T) {
	b := newBench(t, 0)
	b.record("a.wav", speech(20))
	b.record("b.wav", speech(30))
	b.record("c.wav", speech(3))
	b.record("d.wav", speech(30)) // as b
	engine := listener(5 * time.Second)
	engine.batch, engine.parallel = 3, 2
	words := map[string]int{"a.wav": 20, "b.wav": 30, "c.wav": 3, "d.wav": 30}
	for transcript, err := range asr.Stream(t.Context(), engine, b.files(), b.options()) {
		require.NoError(t, err)
		name := filepath.Base(transcript.Source.AudioPath)
		requireSpeech(t, words[name], transcript)
		delete(words, name)
	}
	require.Empty(t, words)
	require.Len(t, b.kept(), 3)
	b.requireNoParts()
}

// The same long recording as two entries of a manifest, whose parts are the same:
// both get their transcript.
func TestLongRecordingTwiceInOneBatch(t *testing.T) {
	b := newBench(t, 0)
	path := b.record("long.wav", speech(40)) // a minute
	in := func(yield func(manifest.Entry, error) bool) {
		_ = yield(manifest.Entry{AudioPath: path}, nil) &&
			yield(manifest.Entry{AudioPath: path, Duration: time.Minute}, nil)
	}
	engine := listener(10 * time.Second)
	engine.batch = 100
	found := 0
	for transcript, err := range asr.Stream(t.Context(), engine, in, b.options()) {
		require.NoError(t, err)
		requireSpeech(t, 40, transcript)
		found++
	}
	require.Equal(t, 2, found)
	b.requireNoParts()
}

// The power is cut after every operation over a recording in two parts: what
// was shown is kept, and the same job comes to its end.
func TestEveryCrashOfLongRecording(t *testing.T) {
	inMemory(t)
	long := func(t *testing.T, fs retry.FS, dir string, ack func(string)) error {
		ctx := context.Background()
		path := filepath.Join(dir, "a.wav")
		require.NoError(t, os.WriteFile(path, wav(7, 1600*time.Millisecond), 0o600))
		root, err := tempdir.Open(ctx, filepath.Join(dir, "r"), tempdir.Options{FS: fs, MinFree: -1})
		if err != nil {
			return err
		}
		journal, err := manifest.OpenJournal(ctx, filepath.Join(dir, "j.jsonl"), manifest.Options{FS: fs})
		if err != nil {
			return err
		}
		defer journal.Close()
		o := asr.Options{Root: root, Journal: journal, FS: fs, MaxAudio: time.Second}
		for transcript, err := range asr.Stream(ctx, &fake{}, asr.Files(ctx, path), o) {
			if err != nil {
				return err
			}
			ack(transcript.Text)
		}
		return journal.Close()
	}
	states := 0
	locktest.EveryCrash(t, long, func(t *testing.T, dir string, acked []string) {
		states++
		if len(acked) > 0 {
			data, err := os.ReadFile(filepath.Join(dir, "j.jsonl"))
			require.NoError(t, err)
			require.Contains(t, string(data), acked[0])
		}
		if states%25 == 0 { // each of these costs a whole job
			var shown []string
			require.NoError(t, long(t, unsynced(), dir, func(text string) { shown = append(shown, text) }))
			require.Equal(t, []string{"number 7 number 7"}, shown)
		}
	})
	t.Logf("%d crash states", states)
}
