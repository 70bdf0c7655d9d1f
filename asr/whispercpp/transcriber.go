package whispercpp

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/internal/ggml"
	"github.com/holdfast-go/holdfast/internal/proc"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// Config says which engine to run, and how. Binary, Model and Root are needed.
type Config struct {
	Binary string        // path of whisper-cli (called whisper-cpp in some packages)
	Model  string        // path of a ggml model
	Root   *tempdir.Root // where the engine's files go

	Language string // code such as "en"; "": detect, or English for a model that knows no other
	Threads  int    // 0: the engine's default, at most 4
	Beams    int    // 1 to 8; 0: 5. 1 is greedy and faster
	Words    bool   // ask for words with times

	FS     retry.FS     // how files are touched; zero: real files, default policy
	Logger *slog.Logger // nil: silent
}

// Transcriber is whisper.cpp, ready to work. Open makes it.
type Transcriber struct {
	config Config
	model  ggml.Model
	about  asr.Engine
	log    *slog.Logger

	mu    sync.Mutex
	scope *tempdir.Scope // made by the first Transcribe
	done  bool
}

// Open checks the configuration and the model; it starts no process, so that a
// run whose transcripts are all in the journal starts none at all. A model that
// cannot be used gives asr.ErrBadModel: whisper.cpp itself loads some damaged
// ones and then finds no words.
func Open(ctx context.Context, c Config) (*Transcriber, error) {
	fail := func(err error) (*Transcriber, error) {
		return nil, &asr.EngineError{Engine: engineName, ExitCode: -1, Err: err}
	}
	if c.Root == nil {
		return fail(errors.New("Config.Root is missing"))
	}
	if err := c.check(); err != nil {
		return fail(err)
	}
	for _, path := range []*string{&c.Binary, &c.Model} { // the engine runs in a directory of its own
		abs, err := filepath.Abs(*path)
		if err != nil {
			return fail(err)
		}
		*path = abs
	}
	if _, err := c.FS.Stat(ctx, c.Binary); err != nil {
		return fail(err)
	}
	model, sum, err := inspectModel(ctx, c.FS, c.Model)
	if err != nil {
		return fail(err)
	}
	if c.Language, err = modelLanguage(model, c.Language); err != nil {
		return fail(err)
	}
	t := &Transcriber{config: c, model: model, log: c.Logger}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	t.about = asr.Engine{
		Name:        engineName,
		Model:       modelName(c.Model),
		Fingerprint: c.fingerprint(sum),
		MaxBatch:    1,
	}
	return t, nil
}

const (
	engineName   = "whispercpp"
	defaultBeams = 5
)

func (c *Config) check() error {
	switch {
	case c.Binary == "":
		return errors.New("Config.Binary is missing")
	case c.Model == "":
		return errors.New("Config.Model is missing")
	case c.Threads < 0 || c.Threads > 1024:
		return fmt.Errorf("Config.Threads is %d, must be 0 to 1024", c.Threads) // whisper.cpp aborts below 1
	case c.Beams < 0 || c.Beams > 8:
		return fmt.Errorf("Config.Beams is %d, must be 0 to 8", c.Beams) // WHISPER_MAX_DECODERS
	case c.Language != "" && !knownLanguage(c.Language):
		return fmt.Errorf("language %q is not one that Whisper knows; use a code such as en or de", c.Language)
	}
	if c.Beams == 0 {
		c.Beams = defaultBeams
	}
	return nil
}

// fingerprint names everything that may change a transcript's text, and
// whether words are there.
func (c *Config) fingerprint(modelSum string) string {
	return fmt.Sprintf("whispercpp/1 model=%s language=%s beams=%d words=%t", modelSum, c.Language, c.Beams, c.Words)
}

// Engine describes the engine.
func (t *Transcriber) Engine() asr.Engine { return t.about }

// Transcribe runs one process for each utterance, one after the other.
func (t *Transcriber) Transcribe(ctx context.Context, batch []asr.Utterance) iter.Seq2[asr.Transcript, error] {
	return func(yield func(asr.Transcript, error) bool) {
		scope, err := t.open(ctx)
		if err != nil {
			yield(asr.Transcript{}, err)
			return
		}
		for _, u := range batch {
			transcript, err := t.transcribe(ctx, scope, u)
			if !yield(transcript, err) {
				return
			}
			if _, ok := errors.AsType[*asr.UtteranceError](err); err != nil && !ok {
				return
			}
		}
	}
}

func (t *Transcriber) open(ctx context.Context) (*tempdir.Scope, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done {
		return nil, &asr.EngineError{Engine: engineName, ExitCode: -1, Err: errors.New("the engine is closed")}
	}
	if t.scope == nil {
		scope, err := t.config.Root.NewScope(ctx, engineName)
		if err != nil {
			return nil, err
		}
		t.scope = scope
	}
	return t.scope, nil
}

// Close removes the engine's files. No process outlives Transcribe.
func (t *Transcriber) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done = true
	if t.scope != nil {
		t.scope.Close()
	}
	return nil
}

// transcribe runs one process in a directory of its own, in which its output
// file cannot be an earlier one's.
func (t *Transcriber) transcribe(ctx context.Context, scope *tempdir.Scope, u asr.Utterance) (asr.Transcript, error) {
	start := time.Now()
	fail := func(err error, stderr string) (asr.Transcript, error) {
		return asr.Transcript{}, &asr.UtteranceError{ID: u.ID, Path: u.Path, Err: err, Stderr: stderr}
	}
	language, err := modelLanguage(t.model, u.Language)
	if err != nil {
		return fail(err, "")
	}
	if u.Language == "" {
		language = t.config.Language
	}
	dir := scope.Path("run-" + u.ID)
	if err := t.config.FS.MkdirAll(ctx, dir); err != nil {
		return fail(err, "")
	}
	defer func() {
		if err := t.config.FS.RemoveAll(context.WithoutCancel(ctx), dir); err != nil {
			t.log.Warn("engine's directory is left to the next sweep", "dir", dir, "err", err)
		}
	}()
	input, err := t.pad(ctx, dir, u)
	if err != nil {
		return fail(err, "")
	}
	args, err := t.arguments(dir, input, language)
	if err != nil {
		return fail(err, "")
	}
	ended, err := proc.Run(ctx, proc.Command{Path: t.config.Binary, Args: args, Dir: dir, Env: environment(scope)})
	if ctx.Err() != nil {
		return fail(context.Cause(ctx), ended.Tail)
	}
	if _, exited := errors.AsType[*proc.ExitError](err); err != nil && !exited {
		return asr.Transcript{}, &asr.EngineError{Engine: engineName, ExitCode: -1, Err: err}
	}
	out, err := t.readOutput(ctx, filepath.Join(dir, outputName+".json"))
	if err != nil {
		return asr.Transcript{}, t.diagnose(u, ended, err)
	}
	transcript := out.transcript(u.Duration, t.config.Words)
	transcript.ID = u.ID
	transcript.Elapsed = time.Since(start)
	return transcript, nil
}
