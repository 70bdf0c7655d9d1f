package asr_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// fake is an engine that hears the number in a recording's first sample.
type fake struct {
	batch    int
	parallel int
	maxAudio time.Duration

	mu     sync.Mutex
	calls  int
	heard  []string // texts, in order
	answer func(ctx context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool)
}

func (f *fake) Engine() asr.Engine {
	return asr.Engine{Name: "fake", Model: "none", Fingerprint: "fake/1",
		MaxBatch: f.batch, MaxParallel: f.parallel, MaxAudio: f.maxAudio}
}

func (f *fake) Close() error { return nil }

func (f *fake) Transcribe(ctx context.Context, batch []asr.Utterance) iter.Seq2[asr.Transcript, error] {
	return func(yield func(asr.Transcript, error) bool) {
		f.mu.Lock()
		f.calls++
		f.mu.Unlock()
		if f.answer != nil {
			f.answer(ctx, batch, yield)
			return
		}
		for _, u := range batch {
			if !yield(f.hear(u), nil) {
				return
			}
		}
	}
}

func (f *fake) hear(u asr.Utterance) asr.Transcript {
	text := fmt.Sprintf("number %d", readSamples(u.Path)[0])
	f.mu.Lock()
	f.heard = append(f.heard, text)
	f.mu.Unlock()
	return asr.Transcript{ID: u.ID, Text: text, Language: "en", Elapsed: time.Millisecond,
		Segments: []asr.Segment{{End: u.Duration, Text: text}}}
}

func readSamples(path string) []uint16 {
	b, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	samples := make([]uint16, (len(b)-44)/2)
	for i := range samples {
		samples[i] = binary.LittleEndian.Uint16(b[44+2*i:])
	}
	return samples
}

// wav makes a recording of 16 kHz whose every sample is n.
func wav(n int, length time.Duration) []byte {
	samples := bytes.Repeat(binary.LittleEndian.AppendUint16(nil, uint16(n)), int(length*16000/time.Second))
	var b []byte
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(36+len(samples)))
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint32(b, 16000)
	b = binary.LittleEndian.AppendUint32(b, 32000)
	b = append(b, "\x02\x00\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(samples)))
	return append(b, samples...)
}

// bench is a root, a journal and some recordings.
type bench struct {
	t       testing.TB
	dir     string // recordings
	root    *tempdir.Root
	path    string // of the journal
	journal *manifest.Journal
	fs      retry.FS
}

func newBench(t testing.TB, recordings int) *bench {
	t.Helper()
	return newBenchFS(t, recordings, retry.FS{})
}

func newBenchFS(t testing.TB, recordings int, fs retry.FS) *bench {
	t.Helper()
	base, err := os.MkdirTemp("", "hf-") // a root's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(base) })
	b := &bench{t: t, dir: filepath.Join(base, "in"), path: filepath.Join(base, "journal.jsonl"), fs: fs}
	require.NoError(t, os.Mkdir(b.dir, 0o700))
	for n := range recordings {
		b.record(fmt.Sprintf("%03d.wav", n), wav(n+1, time.Second))
	}
	b.root, err = tempdir.Open(t.Context(), filepath.Join(base, "root"), tempdir.Options{FS: fs})
	require.NoError(t, err)
	b.reopen()
	t.Cleanup(func() { b.journal.Close() })
	return b
}

func (b *bench) record(name string, content []byte) string {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	require.NoError(b.t, os.WriteFile(path, content, 0o600))
	return path
}

// reopen closes the journal and opens it again, as the next process would.
func (b *bench) reopen() {
	b.t.Helper()
	if b.journal != nil {
		require.NoError(b.t, b.journal.Close())
	}
	var err error
	b.journal, err = manifest.OpenJournal(context.Background(), b.path, manifest.Options{FS: b.fs})
	require.NoError(b.t, err)
}

func (b *bench) options() asr.Options {
	return asr.Options{Root: b.root, Journal: b.journal, FS: b.fs}
}

// files is the input of all recordings.
func (b *bench) files() iter.Seq2[manifest.Entry, error] {
	return asr.Files(context.Background(), b.dir)
}

// kept gives the texts in the journal, sorted, as another process would read
// them now.
func (b *bench) kept() []string {
	b.t.Helper()
	data, err := os.ReadFile(b.path)
	require.NoError(b.t, err)
	var texts []string
	for e, err := range manifest.Read(bytes.NewReader(data), manifest.Options{}) {
		require.NoError(b.t, err)
		texts = append(texts, e.PredText)
	}
	slices.Sort(texts)
	return texts
}

// requireNoScope checks that the run left nothing in the root.
func (b *bench) requireNoScope() {
	b.t.Helper()
	entries, err := os.ReadDir(filepath.Join(b.root.Path(), "s"))
	require.NoError(b.t, err)
	require.Empty(b.t, entries)
}
