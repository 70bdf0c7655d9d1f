package jetstream_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/jetstream"
	"github.com/holdfast-go/holdfast/asr/jetstream/embedded"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// fake is an engine that hears the number in the first samples of a recording.
type fake struct {
	parallel int
	calls    atomic.Int64
	hear     func(ctx context.Context, n int) (asr.Transcript, error) // nil: say
}

func say(_ context.Context, n int) (asr.Transcript, error) {
	return asr.Transcript{Text: fmt.Sprintf("number %d", n), Language: "en"}, nil
}

func (f *fake) Engine() asr.Engine {
	return asr.Engine{Name: "fake", Model: "fake", Fingerprint: "fake", MaxBatch: 1, MaxParallel: f.parallel}
}

func (f *fake) Transcribe(ctx context.Context, batch []asr.Utterance) iter.Seq2[asr.Transcript, error] {
	return func(yield func(asr.Transcript, error) bool) {
		for _, u := range batch {
			f.calls.Add(1)
			b, err := os.ReadFile(u.Path)
			if err != nil {
				yield(asr.Transcript{}, err)
				return
			}
			hear := f.hear
			if hear == nil {
				hear = say
			}
			t, err := hear(ctx, int(binary.LittleEndian.Uint32(b[44:])))
			if failed, ok := err.(*asr.UtteranceError); ok {
				failed.ID = u.ID
			}
			t.ID, t.Elapsed = u.ID, time.Millisecond
			if !yield(t, err) {
				return
			}
		}
	}
}

func (f *fake) Close() error { return nil }

// wav is 10 ms that say n.
func wav(n int) []byte {
	const samples = 160
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, 36+2*samples)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, 2*samples)
	return append(b, bytes.Repeat(binary.LittleEndian.AppendUint32(nil, uint32(n)), samples/2)...)
}

func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func openRoot(t testing.TB, dir string) *tempdir.Root {
	t.Helper()
	root, err := tempdir.Open(t.Context(), dir, tempdir.Options{MinFree: -1})
	require.NoError(t, err)
	return root
}

func openJournal(t testing.TB, path string) *manifest.Journal {
	t.Helper()
	journal, err := manifest.OpenJournal(t.Context(), path, manifest.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { journal.Close() })
	return journal
}

// office is a server in this process with all that a test needs around it.
type office struct {
	t       *testing.T
	dir     string
	root    *tempdir.Root
	server  *embedded.Server
	fleet   *jetstream.Fleet
	journal *manifest.Journal // the collector's
}

func newOffice(t *testing.T, c jetstream.Config) *office {
	t.Helper()
	o := &office{t: t, dir: tempDir(t)}
	o.root = openRoot(t, filepath.Join(o.dir, "r"))
	var err error
	o.server, err = embedded.Start(t.Context(), embedded.Config{Root: o.root})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.server.Close()) })
	c.InProcess = o.server
	o.fleet = o.connect(c)
	o.journal = openJournal(t, filepath.Join(o.dir, "journal.jsonl"))
	return o
}

func (o *office) connect(c jetstream.Config) *jetstream.Fleet {
	o.t.Helper()
	fleet, err := jetstream.Connect(o.t.Context(), c)
	require.NoError(o.t, err)
	o.t.Cleanup(func() { fleet.Close() })
	return fleet
}

// record writes recordings that say first, first+1 ... and gives their entries.
func (o *office) record(first, n int) []manifest.Entry {
	o.t.Helper()
	return record(o.t, filepath.Join(o.dir, "in"), first, n)
}

func record(t testing.TB, dir string, first, n int) []manifest.Entry {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o700))
	var entries []manifest.Entry
	for i := first; i < first+n; i++ {
		path := filepath.Join(dir, fmt.Sprintf("%05d.wav", i))
		require.NoError(t, os.WriteFile(path, wav(i), 0o600))
		entries = append(entries, manifest.Entry{AudioPath: path})
	}
	return entries
}

func input(entries []manifest.Entry) iter.Seq2[manifest.Entry, error] {
	return func(yield func(manifest.Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// work runs a worker in the background; stop ends it and gives what it did.
func (o *office) work(engine asr.Transcriber, options jetstream.WorkOptions) (stop func() (jetstream.Worked, error)) {
	o.t.Helper()
	journal := openJournal(o.t, filepath.Join(tempDir(o.t), "worker.jsonl"))
	options.Run.Root, options.Run.Journal = o.root, journal
	ctx, cancel := context.WithCancel(o.t.Context())
	var done jetstream.Worked
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		done, err = o.fleet.Work(ctx, engine, options)
	}()
	stop = func() (jetstream.Worked, error) {
		cancel()
		<-ended
		return done, err
	}
	o.t.Cleanup(func() { stop() })
	return stop
}

// workOff runs a worker until nothing of the batch waits.
func workOff(t *testing.T, fleet *jetstream.Fleet, batch string, engine asr.Transcriber, run asr.Options) jetstream.Worked {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var worked jetstream.Worked
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		worked, err = fleet.Work(ctx, engine, jetstream.WorkOptions{Run: run})
	}()
	waitFor(t, func() bool {
		status, err := fleet.Status(t.Context(), batch)
		require.NoError(t, err)
		return status.Waiting == 0
	})
	cancel()
	<-ended
	require.ErrorIs(t, err, context.Canceled)
	return worked
}

func (o *office) submit(batch string, entries []manifest.Entry, options jetstream.SubmitOptions) jetstream.Submitted {
	o.t.Helper()
	s, err := o.fleet.Submit(o.t.Context(), batch, input(entries), options)
	require.NoError(o.t, err)
	return s
}

func (o *office) collect(batch string) (asr.Report, error) {
	o.t.Helper()
	return o.fleet.Collect(o.t.Context(), batch, o.journal, jetstream.CollectOptions{})
}

// published gives the texts of a batch in the order of the input.
func (o *office) published(batch string) (texts []string) {
	o.t.Helper()
	path := filepath.Join(o.dir, "published.json")
	require.NoError(o.t, o.fleet.Publish(o.t.Context(), batch, o.journal, path, manifest.Options{}))
	entries, err := manifest.Load(o.t.Context(), path, manifest.Options{})
	require.NoError(o.t, err)
	for _, e := range entries {
		texts = append(texts, e.PredText)
	}
	return texts
}

func numbers(first, n int) (texts []string) {
	for i := first; i < first+n; i++ {
		texts = append(texts, fmt.Sprintf("number %d", i))
	}
	return texts
}
