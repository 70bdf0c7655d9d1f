package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
)

func testJournal(t *testing.T) *manifest.Journal {
	t.Helper()
	j, err := manifest.OpenJournal(context.Background(), filepath.Join(t.TempDir(), "j"), manifest.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.Close()) })
	return j
}

func keep(t *testing.T, j *manifest.Journal, path, engine string, offset, length time.Duration, words bool) {
	t.Helper()
	e := manifest.Entry{AudioPath: path, Offset: offset, Duration: length}
	require.NoError(t, e.Extra.Set("engine", engine))
	if words {
		require.NoError(t, e.Extra.Set("words", []int{}))
	}
	require.NoError(t, j.Append(t.Context(), fmt.Sprint(path, engine, offset, words), e))
}

func entries(all ...manifest.Entry) func(func(manifest.Entry, error) bool) {
	return func(yield func(manifest.Entry, error) bool) {
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func TestSurvey(t *testing.T) {
	dir, journal := t.TempDir(), testJournal(t)
	engine := asr.Engine{Name: "whispercpp", Model: "tiny.en"}
	path := func(n int) string { return filepath.Join(dir, fmt.Sprintf("%d.wav", n)) }
	for n := range 4 {
		require.NoError(t, os.WriteFile(path(n), wav(n), 0o600))
	}
	keep(t, journal, path(0), "whispercpp tiny.en", 0, 100*time.Millisecond, false)
	keep(t, journal, path(1), "whispercpp base", 0, 100*time.Millisecond, false) // another model's

	p := survey(t.Context(), asr.Files(t.Context(), dir), journal, engine, false)
	require.Equal(t, plan{exact: true,
		all:  asr.Amount{Utterances: 4, Audio: 400 * time.Millisecond},
		done: asr.Amount{Utterances: 1, Audio: 100 * time.Millisecond}}, p)
	require.Equal(t, "resuming: 1 done, 3 to do (300ms of audio)", p.String())

	p = survey(t.Context(), asr.Files(t.Context(), dir), journal, engine, true)
	require.Zero(t, p.done, "words are asked for, and there are none")
	keep(t, journal, path(0), "whispercpp tiny.en", 0, 100*time.Millisecond, true)
	p = survey(t.Context(), asr.Files(t.Context(), dir), journal, engine, true)
	require.Equal(t, 1, p.done.Utterances)

	// Stretches of one recording, of which the length is known or not.
	keep(t, journal, path(3), "whispercpp tiny.en", 20*time.Millisecond, 10*time.Millisecond, false)
	p = survey(t.Context(), entries(
		manifest.Entry{AudioPath: path(3), Offset: 20 * time.Millisecond, Duration: 10 * time.Millisecond},
		manifest.Entry{AudioPath: path(3), Offset: 30 * time.Millisecond, Duration: 20 * time.Millisecond},
		manifest.Entry{AudioPath: path(3), Offset: 40 * time.Millisecond},
		manifest.Entry{AudioPath: path(3), Offset: 90 * time.Millisecond},
	), journal, engine, false)
	require.Equal(t, asr.Amount{Utterances: 4, Audio: 100 * time.Millisecond}, p.all)
	require.Equal(t, asr.Amount{Utterances: 1, Audio: 10 * time.Millisecond}, p.done)
}

func TestSurveyOfWhatFails(t *testing.T) {
	in := func(yield func(manifest.Entry, error) bool) {
		_ = yield(manifest.Entry{}, errors.New("a bad line")) && yield(manifest.Entry{AudioPath: "absent.wav"}, nil)
	}
	p := survey(t.Context(), in, testJournal(t), asr.Engine{}, false)
	require.Equal(t, plan{exact: true, all: asr.Amount{Utterances: 2}}, p)
	require.Equal(t, "2 to do", p.String())
}

// Recordings for which there is no time are judged by the others of their kind.
func TestSurveyEstimates(t *testing.T) {
	dir := t.TempDir()
	s := surveyor{deadline: time.Now().Add(time.Hour)}
	var all []manifest.Entry
	for n := range 3 {
		all = append(all, manifest.Entry{AudioPath: filepath.Join(dir, fmt.Sprintf("%d.wav", n))})
		require.NoError(t, os.WriteFile(all[n].AudioPath, wav(n), 0o600))
	}
	s.add(t.Context(), all[0])
	s.deadline = time.Time{}
	s.add(t.Context(), all[1])
	s.add(t.Context(), all[2])
	s.plan.all.Utterances = 3
	p := s.end()
	require.Equal(t, 300*time.Millisecond, p.all.Audio)
	require.False(t, p.exact)
	require.Equal(t, "3 to do (about 300ms of audio)", p.String())

	s = surveyor{}
	s.add(t.Context(), all[0])
	p = s.end()
	require.Zero(t, p.all.Audio, "nothing to judge by")
	require.False(t, p.exact)
}

func TestProgressLines(t *testing.T) {
	p := progress{name: "talk\x1b[2J.wav", resumed: 30 * time.Minute,
		plan:     plan{all: asr.Amount{Utterances: 20, Audio: 2 * time.Hour}},
		Progress: asr.Progress{Done: 3, Resumed: 5, Failed: 1, Audio: 30 * time.Minute, Elapsed: 3 * time.Minute, ETA: 6 * time.Minute}}
	require.Equal(t, " 50%  1h0m0s of 2h0m0s  10.0x  6m0s left  9/20  talk [2J.wav", p.line())
	require.Equal(t, "progress: 9 of 20, 1h0m0s of 2h0m0s of audio, 10.0 times as fast as it is spoken, 6m0s left", p.String())

	p.plan.all.Audio = 0
	p.ETA = 0
	require.Equal(t, "1h0m0s of audio  10.0x  9/20  talk [2J.wav", p.line())
	require.Equal(t, "progress: 9 of 20, 1h0m0s of audio, 10.0 times as fast as it is spoken", p.String())

	p = progress{name: "a-very-long-name-of-a-recording-that-nobody-can-read-in-one-line-of-eighty-columns.wav",
		plan: plan{all: asr.Amount{Utterances: 1, Audio: time.Minute}}}
	require.Len(t, []rune(p.line()), lineWidth)
	require.Contains(t, p.line(), "  0%  0s of 1m0s  a-very")

	p = progress{plan: plan{all: asr.Amount{Utterances: 1, Audio: 100_000 * time.Hour}}, Progress: asr.Progress{Audio: 50_000 * time.Hour}}
	require.Contains(t, p.line(), " 50%  50000h0m0s of")

	p.plan.all.Audio = time.Minute
	p.Progress.Audio = time.Hour // more than the headers had said
	require.Contains(t, p.line(), "100%  1m0s of 1m0s")
}
