package asr_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// loudness is a whole engine: it hears how loud a recording is.
type loudness struct{ silence int }

// Engine changes its fingerprint with everything that may change the text, so
// that results of other settings are not taken for this engine's.
func (l loudness) Engine() asr.Engine {
	return asr.Engine{Name: "loudness", Model: "peak", Fingerprint: fmt.Sprintf("loudness/1 silence=%d", l.silence), MaxBatch: 8}
}

// Transcribe yields each result as soon as it is there: it is in the journal
// before the next utterance is begun.
func (l loudness) Transcribe(ctx context.Context, batch []asr.Utterance) iter.Seq2[asr.Transcript, error] {
	return func(yield func(asr.Transcript, error) bool) {
		for _, u := range batch {
			if ctx.Err() != nil {
				yield(asr.Transcript{}, ctx.Err()) // the engine stops: this ends the sequence
				return
			}
			text, err := l.hear(u.Path)
			if err != nil {
				err = &asr.UtteranceError{ID: u.ID, Path: u.Source.AudioPath, Err: err} // this one only
			}
			if !yield(asr.Transcript{ID: u.ID, Text: text, Duration: u.Duration}, err) {
				return
			}
		}
	}
}

// Close has no process to end.
func (l loudness) Close() error { return nil }

// hear gets 16 kHz, mono, 16-bit PCM, whatever the recording was.
func (l loudness) hear(path string) (string, error) {
	wav, err := os.ReadFile(path)
	if err != nil || len(wav) < 44 {
		return "", errors.Join(asr.ErrBadAudio, err)
	}
	for samples := wav[44:]; len(samples) > 1; samples = samples[2:] {
		if int(int16(binary.LittleEndian.Uint16(samples))) > l.silence {
			return "somebody speaks", nil
		}
	}
	return "", nil // empty text is a result: nobody spoke
}

// An engine is three methods. This one needs no program beside it.
func ExampleTranscriber() {
	ctx := context.Background()
	dir := must(os.MkdirTemp("", "hf-"))
	defer os.RemoveAll(dir)
	root := must(tempdir.Open(ctx, filepath.Join(dir, "root"), tempdir.Options{}))
	journal := must(manifest.OpenJournal(ctx, filepath.Join(dir, "journal.jsonl"), manifest.Options{}))
	defer journal.Close()
	options := asr.Options{Root: root, Journal: journal}

	recordings := asr.Files(ctx, filepath.Join("..", "examples", "transcribe", "sample.wav"))
	for range 2 {
		for t, err := range asr.Stream(ctx, loudness{silence: 500}, recordings, options) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(filepath.Base(t.Source.AudioPath), t.Text, t.Resumed)
		}
	}
	// Output:
	// sample.wav somebody speaks false
	// sample.wav somebody speaks true
}

// The error of a run holds one for each recording that failed; the others have
// their transcripts.
func ExampleRun() {
	ctx := context.Background()
	dir := must(os.MkdirTemp("", "hf-"))
	defer os.RemoveAll(dir)
	root := must(tempdir.Open(ctx, filepath.Join(dir, "root"), tempdir.Options{}))
	journal := must(manifest.OpenJournal(ctx, filepath.Join(dir, "journal.jsonl"), manifest.Options{}))
	defer journal.Close()
	empty := filepath.Join(dir, "empty.wav")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		log.Fatal(err)
	}

	recordings := asr.Files(ctx, filepath.Join("..", "examples", "transcribe", "sample.wav"), empty)
	report, err := asr.Run(ctx, loudness{}, recordings, asr.Options{Root: root, Journal: journal})
	fmt.Println(report.Done, "transcribed,", report.Failed, "failed")
	failed, _ := errors.AsType[*asr.UtteranceError](err)
	fmt.Println(filepath.Base(failed.Path), errors.Is(err, asr.ErrBadAudio))
	// Output:
	// 1 transcribed, 1 failed
	// empty.wav true
}

// A program that sends its transcripts elsewhere writes them as a journal has
// them, in a line that NeMo reads.
func ExampleTranscript_Entry() {
	transcript := asr.Transcript{
		Text: "Hello.", Language: "en", Duration: 2 * time.Second, Elapsed: 300 * time.Millisecond,
		Segments: []asr.Segment{{End: time.Second, Text: "Hello."}},
		Source:   manifest.Entry{AudioPath: "hello.wav"},
	}
	entry := must(transcript.Entry(loudness{}.Engine()))
	fmt.Printf("%s\n", entry.AppendJSON(nil))
	// Output: {"audio_filepath": "hello.wav", "duration": 2.0, "pred_text": "Hello.", "lang": "en", "segments": [{"start":0,"end":1,"text":"Hello."}], "engine": "loudness peak", "elapsed": 0.3}
}

func ExampleCountErrors() {
	count := asr.CountErrors("today we will talk about the railway", "to day we will talk about a railway")
	fmt.Printf("%+v, %.0f %% of the words\n", count, 100*count.WER())
	// Output: {Sub:2 Ins:1 Del:0 Ref:7}, 43 % of the words
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
