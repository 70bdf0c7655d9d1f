package asrtest_test

import (
	"context"
	"errors"
	"iter"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/asrtest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// engine is an adapter without a fault, which works in this process. A mutant
// replaces a part of it.
type engine struct {
	about asr.Engine
	root  *tempdir.Root
	scope *tempdir.Scope
	calls int // of Transcribe, begun

	hear     func(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error)
	sequence func(e *engine, ctx context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool)
	stop     func(e *engine) error // Close

	mu     sync.Mutex
	closed bool
	victim context.CancelCauseFunc // ends the call under way, as a kill would
	state  map[string]string       // a mutant's own
}

var errKilled = &asr.EngineError{Engine: "mutant", ExitCode: -1, Err: errors.New("killed")}

func newEngine(root *tempdir.Root) *engine {
	scope, err := root.NewScope(context.Background(), "mutant")
	if err != nil {
		panic(err)
	}
	return &engine{
		about: asr.Engine{Name: "mutant", Model: "pitch", Fingerprint: "1", MaxBatch: 4, MaxParallel: 2},
		root:  root, scope: scope, state: map[string]string{},
		hear: hear, sequence: oneByOne, stop: func(e *engine) error { e.scope.Close(); return nil },
	}
}

func (e *engine) Engine() asr.Engine { return e.about }

func (e *engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	return e.stop(e)
}

func (e *engine) Transcribe(ctx context.Context, batch []asr.Utterance) iter.Seq2[asr.Transcript, error] {
	return func(yield func(asr.Transcript, error) bool) {
		e.mu.Lock()
		closed := e.closed
		e.calls++
		ctx, cancel := context.WithCancelCause(ctx)
		e.victim = cancel
		e.mu.Unlock()
		defer func() {
			e.mu.Lock()
			e.victim = nil
			e.mu.Unlock()
			cancel(nil)
		}()
		if closed {
			yield(asr.Transcript{}, &asr.EngineError{Engine: "mutant", ExitCode: -1, Err: errors.New("it is closed")})
			return
		}
		e.sequence(e, ctx, batch, yield)
	}
}

// kill is for Harness.Kill.
func kill(ctx context.Context, t asr.Transcriber) error {
	e := t.(*engine)
	for ctx.Err() == nil {
		e.mu.Lock()
		victim := e.victim
		e.mu.Unlock()
		if victim != nil {
			victim(errKilled)
			break
		}
		<-time.After(time.Millisecond)
	}
	return nil
}

// hear knows how high a tone is. It takes a moment for each second of it.
func hear(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
	_, err := asr.Inspect(ctx, u.Path)
	if err == nil {
		select {
		case <-time.After(u.Duration / 300):
		case <-ctx.Done():
		}
		err = context.Cause(ctx)
	}
	if cause := context.Cause(ctx); errors.Is(cause, errKilled) {
		return asr.Transcript{}, cause
	}
	if err != nil {
		return asr.Transcript{}, &asr.UtteranceError{ID: u.ID, Path: u.Path, Err: err}
	}
	return listen(u), nil
}

// listen is hear for those who hear anything.
func listen(u asr.Utterance) asr.Transcript {
	recording, err := os.ReadFile(u.Path)
	if err != nil {
		return asr.Transcript{ID: u.ID}
	}
	t := asr.Transcript{ID: u.ID, Text: pitch(recording)}
	if t.Text != "" {
		t.Segments = []asr.Segment{{End: u.Duration, Text: t.Text}}
	}
	for i, word := range strings.Fields(t.Text) {
		begin := time.Duration(i) * u.Duration / 2
		t.Words = append(t.Words, asr.Word{Start: begin, End: begin + u.Duration/2, Text: word, Confidence: 0.5})
	}
	for _, s := range t.Segments {
		u.Heard(s)
	}
	return t
}

func oneByOne(e *engine, ctx context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool) {
	for _, u := range batch {
		t, err := e.hear(e, ctx, u)
		_, alone := errors.AsType[*asr.UtteranceError](err)
		if !yield(t, err) || err != nil && !alone {
			return
		}
	}
}

// mutant is an adapter with a fault, and the check that has to find it.
type mutant struct {
	change  func(e *engine)
	harness func(t *testing.T, h *asrtest.Harness)
	check   string // "" if nothing may be found
	says    string
}

func TestSuiteFindsMutants(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	for name, m := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.HasPrefix(name, "linux: ") && runtime.GOOS != "linux" {
				t.Skip("only Linux shows which files are open after they were deleted")
			}
			// Its own check has to find it, after some work.
			run := "-test.run=^TestMutant$"
			if check, _, _ := strings.Cut(m.check, "/"); check != "" {
				run += "/^(batch|" + check + ")$"
			}
			cmd := exec.CommandContext(t.Context(), exe, run, "-test.count=1")
			cmd.Env = append(os.Environ(), mutantEnv+"="+name)
			out, err := cmd.CombinedOutput()
			if m.check == "" {
				require.NoError(t, err, "%s", out)
				return
			}
			require.Error(t, err, "the mutant lives:\n%s", out)
			require.Contains(t, string(out), "--- FAIL: TestMutant/"+m.check+" ")
			require.Contains(t, string(out), m.says)
		})
	}
}

const mutantEnv = "ASRTEST_MUTANT"

// TestMutant is the mutant that TestSuiteFindsMutants asks for.
func TestMutant(t *testing.T) {
	m, ok := mutants[os.Getenv(mutantEnv)]
	if !ok {
		t.Skip("it is for TestSuiteFindsMutants, which runs it once for each mutant")
	}
	h := asrtest.Harness{
		Speech: tones(t), Kill: kill, Patience: 20 * time.Second,
		Open: func(t *testing.T, root *tempdir.Root) asr.Transcriber {
			e := newEngine(root)
			if m.change != nil {
				m.change(e)
			}
			return e
		},
		Other: func(t *testing.T, root *tempdir.Root) asr.Transcriber {
			e := newEngine(root)
			e.about.Fingerprint = "2"
			return e
		},
	}
	if m.harness != nil {
		m.harness(t, &h)
	}
	asrtest.Run(t, h)
}

// touch makes a file, as a careless engine does.
func touch(name string) *os.File {
	f, err := os.Create(name)
	if err != nil {
		panic(err)
	}
	return f
}

// writes is a mutant that makes a file at its first call.
func writes(where func(e *engine, u asr.Utterance) string) func(e *engine) {
	return hears(func(e *engine, u asr.Utterance, t *asr.Transcript) { touch(where(e, u)).Close() })
}

// hears is a mutant that changes what it has heard.
func hears(change func(e *engine, u asr.Utterance, t *asr.Transcript)) func(e *engine) {
	return func(e *engine) {
		e.hear = func(e *engine, ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
			t, err := hear(e, ctx, u)
			if err == nil {
				change(e, u, &t)
			}
			return t, err
		}
	}
}

// says is a mutant that changes the sequence of its answers.
func says(sequence func(e *engine, ctx context.Context, batch []asr.Utterance, yield func(asr.Transcript, error) bool)) func(e *engine) {
	return func(e *engine) { e.sequence = sequence }
}

// patience shortens what a mutant that hangs would cost.
func patience(t *testing.T, h *asrtest.Harness) { h.Patience = 2 * time.Second }
