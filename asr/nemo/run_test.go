package nemo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/nemo"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// job is a folder of recordings and the journal of their transcripts.
type job struct {
	dir     string
	root    *tempdir.Root
	journal *manifest.Journal
	want    map[string]string // text by path
}

func newJob(t *testing.T, texts ...string) *job {
	t.Helper()
	j := &job{dir: t.TempDir(), root: openRoot(t), want: map[string]string{}}
	for i, text := range texts {
		j.add(t, fmt.Sprintf("%04d.wav", i), text, 0)
	}
	var err error
	j.journal, err = manifest.OpenJournal(t.Context(), filepath.Join(t.TempDir(), "journal.jsonl"), manifest.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { j.journal.Close() })
	return j
}

// add makes a recording; with a fault its first sample asks for one, and no text
// is expected.
func (j *job) add(t *testing.T, name, text string, fault int16) {
	t.Helper()
	samples := say(text)
	path := filepath.Join(j.dir, name)
	if fault != 0 {
		samples[0] = fault
	}
	if fault == 0 || fault == slow {
		j.want[path] = text
	}
	require.NoError(t, os.WriteFile(path, wav(samples, 1), 0o600))
}

// run gives what was yielded, by path, and the error of the run.
func (j *job) run(ctx context.Context, engine asr.Transcriber) (map[string]string, asr.Report, error) {
	heard := map[string]string{}
	report, err := asr.Run(ctx, engine, asr.Files(ctx, j.dir), asr.Options{Root: j.root, Journal: j.journal})
	for _, e := range j.journal.All() {
		heard[e.AudioPath] = e.PredText
	}
	return heard, report, err
}

// A recording that kills the engine each time costs itself alone.
func TestPoison(t *testing.T) {
	b := fake(t)
	j := newJob(t, sentences...)
	j.add(t, "kills.wav", "voice note", killed)
	j.add(t, "exits.wav", "hold fast", exits)
	j.add(t, "fails.wav", "hello", failing)
	engine := b.open(t, nemo.Config{Root: j.root})
	heard, report, err := j.run(t.Context(), engine)
	require.Equal(t, j.want, heard)
	require.Equal(t, 3, report.Failed)
	for failed := range asr.Failures(err) {
		require.Contains(t, []string{"kills.wav", "exits.wav", "fails.wav"}, filepath.Base(failed.Path))
	}
}

// A run that ends early goes on where it was; one that has all its transcripts
// starts no process.
func TestResume(t *testing.T) {
	b := fake(t)
	j := newJob(t, sentences[:6]...)
	model := b.model(t, "ctc-bpe")
	started := 0
	config := nemo.Config{Model: model, Root: j.root, Batch: 1, Trace: nemo.Trace{Ready: func(nemo.Worker) { started++ }}}
	engine := b.open(t, config)
	options := asr.Options{Root: j.root, Journal: j.journal, Batch: 2}
	seen := 0
	for _, err := range asr.Stream(t.Context(), engine, asr.Files(t.Context(), j.dir), options) {
		require.NoError(t, err)
		if seen++; seen == 2 {
			break
		}
	}
	heard, report, err := j.run(t.Context(), engine)
	require.NoError(t, err)
	require.Equal(t, j.want, heard)
	require.GreaterOrEqual(t, report.Resumed, 2)
	require.NoError(t, engine.Close())

	before := started
	engine = b.open(t, config)
	_, report, err = j.run(t.Context(), engine)
	require.NoError(t, err)
	require.Equal(t, 6, report.Resumed)
	require.Equal(t, before, started)
}

// TestKills kills the process at random moments, HOLDFAST_KILLS times; 5 times,
// and the stand-in alone, where that is not set. What the run has given must be
// in the journal, and everything in the end.
func TestKills(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		rounds, _ := strconv.Atoi(os.Getenv("HOLDFAST_KILLS"))
		if rounds == 0 && b.real {
			t.Skip("each kill takes an import of NeMo, 10 s and more: set HOLDFAST_KILLS")
		}
		rounds = max(rounds, 5)
		j := newJob(t)
		for i := range 4*rounds + 20 {
			n := len(sentences)
			text := sentences[i%n] + " " + sentences[i/n%n] + " " + sentences[i/n/n%n] // no two are equal
			j.add(t, fmt.Sprintf("%04d.wav", i), text, slow)
		}
		var kills atomic.Int32
		victims := make(chan int, 1)
		go func() {
			for pid := range victims {
				<-time.After(rand.N(400 * time.Millisecond))
				if process, err := os.FindProcess(pid); err == nil && int(kills.Load()) < rounds && process.Kill() == nil {
					kills.Add(1)
				}
			}
		}()
		defer close(victims)
		engine := b.open(t, nemo.Config{Model: b.model(t, "ctc-bpe"), Root: j.root, Trace: nemo.Trace{Ready: func(w nemo.Worker) { victims <- w.PID }}})
		acknowledged := map[string]string{}
		for attempt := 1; ; attempt++ {
			var last error
			for transcript, err := range asr.Stream(t.Context(), engine, asr.Files(t.Context(), j.dir), asr.Options{Root: j.root, Journal: j.journal}) {
				if err != nil {
					last = err // a recording that was hit three times is set aside until the next run
					continue
				}
				acknowledged[transcript.Source.AudioPath] = transcript.Text
			}
			heard := map[string]string{}
			for _, e := range j.journal.All() {
				heard[e.AudioPath] = e.PredText
			}
			require.Len(t, acknowledged, len(heard))
			require.Equal(t, heard, acknowledged)
			if last == nil {
				t.Logf("%d kills, %d recordings, all of them there after run %d", kills.Load(), len(heard), attempt)
				require.Equal(t, j.want, heard)
				break
			}
			require.Less(t, attempt, 5, last)
		}
		require.EqualValues(t, rounds, kills.Load())
	})
}

// Gradio puts an upload into a folder of its own, under the name that the user's
// file has, and may remove it at any time. What is staged stays.
func TestUpload(t *testing.T) {
	b := fake(t)
	j := newJob(t)
	uploads, err := j.root.Cache(t.Context(), "gradio")
	require.NoError(t, err)
	j.dir = filepath.Join(uploads, "5d41402abc4b2a76b9719d911017c592")
	require.NoError(t, os.Mkdir(j.dir, 0o700))
	j.add(t, "Ann's talk (1) [final], take {2}.wav", "keep every word", 0)
	engine := b.open(t, nemo.Config{Root: j.root})
	options := asr.Options{Root: j.root, Journal: j.journal, Trace: asr.Trace{Start: func(asr.Utterance) { os.RemoveAll(j.dir) }}}
	_, err = asr.Run(t.Context(), engine, asr.Files(t.Context(), j.dir), options)
	require.NoError(t, err)
	for _, e := range j.journal.All() {
		require.Equal(t, j.want[e.AudioPath], e.PredText)
	}
	require.NoFileExists(t, j.dir)
}
