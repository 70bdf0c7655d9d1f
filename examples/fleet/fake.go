package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/retry"
)

// fake is an engine for load and fault tests: it takes its time, and its text
// says which recording it was.
type fake struct{ time time.Duration }

func (f fake) Engine() asr.Engine {
	return asr.Engine{Name: "fake", Model: "fake", Fingerprint: "fake/1", MaxBatch: 1}
}

func (f fake) Transcribe(ctx context.Context, batch []asr.Utterance) iter.Seq2[asr.Transcript, error] {
	return func(yield func(asr.Transcript, error) bool) {
		for _, u := range batch {
			start := time.Now()
			data, err := retry.FS{}.ReadFile(ctx, u.Path)
			if err == nil {
				err = wait(ctx, f.time)
			}
			if err != nil {
				yield(asr.Transcript{}, err)
				return
			}
			text := fmt.Sprintf("recording %x", sha256.Sum256(data))
			if !yield(asr.Transcript{ID: u.ID, Text: text, Language: u.Language, Elapsed: time.Since(start)}, nil) {
				return
			}
		}
	}
}

func (f fake) Close() error { return nil }

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
