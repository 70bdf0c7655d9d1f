package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/manifest"
)

// told drives a printer through a run of two recordings.
func told(o options, terminal bool) (stdout, stderr string) {
	var out, errs bytes.Buffer
	p := newPrinter(o, &out, &errs)
	p.terminal = terminal
	u := asr.Utterance{Duration: 90 * time.Second, Source: manifest.Entry{AudioPath: "in/a.wav"}}
	p.fetching(whispercpp.Progress{Doing: "first run: a model", Total: 80e6})
	p.fetching(whispercpp.Progress{Doing: "first run: a model", Done: 40e6, Total: 80e6})
	p.plan(plan{exact: true, all: asr.Amount{Utterances: 4, Audio: 400 * time.Second}, done: asr.Amount{Utterances: 2, Audio: 200 * time.Second}})
	p.start(u)
	p.start(u) // another part of it
	for n := range 4 {
		<-time.After(16 * time.Second)
		p.heard(u, asr.Segment{Text: " good morning"})
		p.progress(asr.Progress{Resumed: 2, Audio: time.Duration(n) * 20 * time.Second, Elapsed: time.Duration(n) * 16 * time.Second, ETA: time.Minute})
	}
	p.restart(errors.New("it died"))
	t := asr.Transcript{ID: "1", Text: "Good\x1b[2Jmorning", Duration: 90 * time.Second, Source: u.Source}
	p.count(t)
	_ = p.transcript(t)
	p.failed(&asr.UtteranceError{Path: "in/b.wav", Err: asr.ErrBadAudio})
	_, _ = p.aside().Write([]byte("level=WARN msg=x\n"))
	p.stopping()
	p.end(false)
	return out.String(), errs.String()
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stdout, stderr := told(options{out: "transcripts"}, false)
		require.Equal(t, "in/a.wav\n  Good [2Jmorning\n", stdout)
		require.Equal(t, `first run: a model (80.0 MB)
resuming: 2 done, 2 to do (3m20s of audio)
transcribing in/a.wav (1m30s of audio)
progress: 2 of 4, 40s of 6m40s of audio, 1.2 times as fast as it is spoken, 1m0s left
transcribe: the engine is started again: it died
transcribe in/b.wav: bad audio
level=WARN msg=x
1 transcribed, 0 resumed, 1 failed; 1m30s of audio in 1m4s, 1.4 times as fast as it is spoken; results in transcripts
`, stderr)
	})
}

// Names come from strangers, and what an engine says is anything.
func TestNothingSteersTheTerminal(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		const name = "in/\x1b]0;owned\x07\u009b2J.wav"
		var out, errs bytes.Buffer
		p := newPrinter(options{watch: name}, &out, &errs)
		p.terminal = terminal
		u := asr.Utterance{Source: manifest.Entry{AudioPath: name}}
		p.start(u)
		p.watching(name)
		p.held(errors.New(name))
		p.failed(&asr.UtteranceError{Path: name, Err: asr.ErrBadAudio})
		p.problem(errors.New("two\n\t* " + name))
		require.NoError(t, p.transcript(asr.Transcript{Source: u.Source}))
		said := strings.ReplaceAll(out.String()+errs.String(), "\r\x1b[K", "")
		require.NotContains(t, said, "\x1b")
		require.NotContains(t, said, "\x07")
		require.NotContains(t, said, "\u009b")
		require.Contains(t, said, "two\n", "lines stay")
	}
}

// On a terminal one line is written over and over, and gone before anything
// else is said.
func TestTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, stderr := told(options{out: "transcripts"}, true)
		const again = "\r\x1b[K"
		require.Contains(t, stderr, again+"first run: a model, 40.0 of 80.0 MB"+again+"resuming: 2 done, 2 to do (3m20s of audio)\n")
		require.Contains(t, stderr, again+" 15%  1m0s of 6m40s  1.2x  1m0s left  2/4  a.wav: good morning"+again)
		require.Contains(t, stderr, again+"transcribe: the engine is started again: it died\n")
		require.Contains(t, stderr, "stopping; Ctrl-C again ends at once"+again+"1 transcribed")
		for line := range strings.Lines(stderr) {
			for part := range strings.SplitSeq(strings.TrimSuffix(line, "\n"), again) {
				if !strings.HasPrefix(part, "1 transcribed") {
					require.Less(t, len([]rune(part)), 80, part)
				}
			}
		}
	})
}

func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, terminal := range []bool{false, true} {
			stdout, stderr := told(options{out: "transcripts", quiet: true, json: true}, terminal)
			require.Equal(t, "transcribe in/b.wav: bad audio\nlevel=WARN msg=x\n", stderr)
			require.Equal(t, `{"id":"1","audio_filepath":"in/a.wav","text":"Good\u001b[2Jmorning","segments":[],"language":"","elapsed":0,"resumed":false}`+"\n", stdout)
		}
	})
}
