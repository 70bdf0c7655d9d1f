package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// runs are whole runs of the library over the recordings of a folder: each is staged, hashed and
// journaled.
type runs struct {
	dir   string // short, since a root lies in it
	root  *tempdir.Root
	in    string
	round int
}

// newRuns puts count recordings of 6.4 s into a folder, no two the same.
func newRuns(b *testing.B, count int) *runs {
	dir, err := os.MkdirTemp("", "hf-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	r := &runs{dir: dir, in: filepath.Join(dir, "in")}
	if r.root, err = tempdir.Open(b.Context(), filepath.Join(dir, "root"), tempdir.Options{}); err != nil {
		b.Fatal(err)
	}
	spoken, err := os.ReadFile(filepath.Join("..", "..", "examples", "transcribe", "sample.wav"))
	if err != nil {
		b.Fatal(err)
	}
	if err := os.Mkdir(r.in, 0o700); err != nil {
		b.Fatal(err)
	}
	for n := range count {
		spoken[len(spoken)-1] = byte(n)
		if err := os.WriteFile(filepath.Join(r.in, fmt.Sprintf("%02d.wav", n)), spoken, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return r
}

// through has an engine transcribe all recordings into a new journal.
func (r *runs) through(b *testing.B, engine asr.Transcriber) {
	r.round++
	journal, err := manifest.OpenJournal(b.Context(), filepath.Join(r.dir, fmt.Sprintf("%d.jsonl", r.round)), manifest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := asr.Run(b.Context(), engine, asr.Files(b.Context(), r.in), asr.Options{Root: r.root, Journal: journal}); err != nil {
		b.Fatal(err)
	}
	if err := journal.Close(); err != nil {
		b.Fatal(err)
	}
}

// perRecording reports what a user waits for.
func perRecording(b *testing.B, count int) {
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1e3/float64(b.N*count), "ms/recording")
	b.ReportMetric(0, "ns/op")
}
