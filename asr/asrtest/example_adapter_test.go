package asrtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/asrtest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// Ear is an adapter for a program that prints what it hears as JSON.
type Ear struct {
	program string
	scope   *tempdir.Scope // all files of the program lie here
	closed  atomic.Bool
}

func OpenEar(ctx context.Context, root *tempdir.Root, program string) (*Ear, error) {
	scope, err := root.NewScope(ctx, "ear")
	if err != nil {
		return nil, err
	}
	return &Ear{program: program, scope: scope}, nil
}

func (e *Ear) Engine() asr.Engine {
	return asr.Engine{Name: "ear", Model: "pitch", Fingerprint: "ear/1 pitch", MaxBatch: 4, MaxParallel: 2}
}

func (e *Ear) Close() error {
	e.closed.Store(true)
	e.scope.Close()
	return nil
}

// Transcribe runs the program for one utterance after the other. One that fails
// does not end the sequence, a dead engine does.
func (e *Ear) Transcribe(ctx context.Context, batch []asr.Utterance) iter.Seq2[asr.Transcript, error] {
	return func(yield func(asr.Transcript, error) bool) {
		for _, u := range batch {
			transcript, err := e.listen(ctx, u)
			_, alone := errors.AsType[*asr.UtteranceError](err)
			if !yield(transcript, err) || err != nil && !alone {
				return
			}
		}
	}
}

func (e *Ear) listen(ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
	start := time.Now()
	fail := func(err error) (asr.Transcript, error) {
		return asr.Transcript{}, &asr.UtteranceError{ID: u.ID, Path: u.Path, Err: err}
	}
	dead := func(code int, err error, stderr []byte) (asr.Transcript, error) {
		return asr.Transcript{}, &asr.EngineError{Engine: "ear", ExitCode: code, Err: err, Stderr: string(stderr)}
	}
	if e.closed.Load() {
		return dead(-1, errors.New("it is closed"), nil)
	}
	if _, err := asr.Inspect(ctx, u.Path); err != nil { // the program reads a damaged file as far as it goes
		return fail(err)
	}
	cmd := exec.CommandContext(ctx, e.program, "listen", u.Path)
	cmd.Dir, cmd.Env, cmd.WaitDelay = e.scope.Path(), e.scope.Env(), time.Second
	out, err := cmd.Output() // when ctx ends, the program is killed and waited for
	if ctx.Err() != nil {
		return fail(context.Cause(ctx))
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return dead(exit.ExitCode(), err, exit.Stderr)
	} else if err != nil {
		return dead(-1, err, nil)
	}
	heard := struct{ Text string }{}
	if err := json.Unmarshal(out, &heard); err != nil {
		return fail(fmt.Errorf("%w: %w", asr.ErrNoResult, err))
	}
	transcript := asr.Transcript{ID: u.ID, Text: heard.Text, Duration: u.Duration, Elapsed: time.Since(start)}
	for _, word := range strings.Fields(heard.Text) {
		transcript.Words = append(transcript.Words, asr.Word{Text: word, End: u.Duration})
	}
	return transcript, nil
}

// Ear is an adapter for a program, and this is all that its test needs. The
// recordings are in testdata as 16 kHz, mono, 16-bit WAV.
func ExampleRun() {
	_ = func(t *testing.T) { // TestConformance
		asrtest.Run(t, asrtest.Harness{
			Open: func(t *testing.T, root *tempdir.Root) asr.Transcriber {
				ear, err := OpenEar(t.Context(), root, "/usr/bin/ear")
				if err != nil {
					t.Fatal(err)
				}
				return ear
			},
			Speech: []asrtest.Clip{
				{Path: "testdata/300.wav", Text: "300 hertz"},
				{Path: "testdata/520.wav", Text: "520 hertz"},
			},
			NoOther: "it has no options",
		})
	}
}
