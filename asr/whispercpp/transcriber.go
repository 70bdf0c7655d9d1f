package whispercpp

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/internal/proc"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// Config says which engine to run, and how. Model, Root and one of Binary and
// Server are needed.
type Config struct {
	Binary string        // path of whisper-cli (called whisper-cpp in some packages)
	Model  string        // path of a ggml model
	Root   *tempdir.Root // where the engine's files go

	// Server is the path of whisper-server. Where it is given, processes that stay
	// do the work and Binary is not used. That saves loading the model for each
	// recording, which counts for many short ones. Decoding is greedy then, and of
	// a recording that is hard to understand the text may differ the next time.
	Server string

	Processes int    // at the same time, each with the model in memory; 0: 1
	Language  string // code such as "en"; "": detect, or English for a model that knows no other
	Threads   int    // of each process; 0: the engine's default, at most 4
	Beams     int    // 1 to 8; 0: 5, or 1 with Server, which can do no other. 1 is greedy and faster
	Words     bool   // ask for words with times

	FS     retry.FS     // how files are touched; zero: real files, default policy
	Logger *slog.Logger // nil: silent
}

// Transcriber is whisper.cpp, ready to work. Open makes it.
type Transcriber struct {
	config Config
	model  modelFile
	about  asr.Engine
	log    *slog.Logger
	limits limits
	jobs   atomic.Int64 // numbers the working directories

	preparing chan struct{} // holds one token while somebody looks at ground; nil: Open did not make this
	ground    *ground       // nil: no Transcribe has succeeded in preparing it yet
	slots     chan struct{} // one for each server that may work

	mu       sync.Mutex
	idle     []*server
	children map[*proc.Process]struct{}
	closed   bool
}

// maxAudio is what a process should get at a time: a crash costs as much.
const maxAudio = 10 * time.Minute

// Open checks the configuration and the model; it starts no process, so that a
// run whose transcripts are all in the journal starts none at all. What the
// program can do is found out by the first Transcribe. A model that cannot be
// used gives asr.ErrBadModel: whisper.cpp itself loads some damaged ones and
// then finds no words.
func Open(ctx context.Context, c Config) (*Transcriber, error) {
	fail := func(err error) (*Transcriber, error) {
		passes := ctx.Err() != nil || errors.Is(err, retry.ErrLocked)
		return nil, &asr.EngineError{Engine: engineName, ExitCode: -1, Err: err, Fatal: !passes}
	}
	if c.Root == nil {
		return fail(errors.New("Config.Root is missing"))
	}
	if err := c.check(); err != nil {
		return fail(err)
	}
	for _, path := range []*string{c.program(), &c.Model} { // the engine runs in a directory of its own
		abs, err := filepath.Abs(*path)
		if err != nil {
			return fail(err)
		}
		*path = abs
	}
	if _, err := c.FS.Stat(ctx, *c.program()); err != nil {
		return fail(err)
	}
	model, err := inspectModel(ctx, c.FS, c.Model)
	if err != nil {
		return fail(err)
	}
	if c.Language, err = modelLanguage(model.Model, c.Language); err != nil {
		return fail(err)
	}
	t := &Transcriber{
		config: c, model: model, log: c.Logger, limits: defaultLimits(),
		preparing: make(chan struct{}, 1), slots: make(chan struct{}, c.Processes), children: make(map[*proc.Process]struct{}),
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	t.about = asr.Engine{
		Name:        engineName,
		Model:       modelName(c.Model),
		Fingerprint: c.fingerprint(model.sum),
		MaxBatch:    1,
		MaxParallel: c.Processes,
		MaxAudio:    maxAudio,
	}
	return t, nil
}

const (
	engineName   = "whispercpp"
	defaultBeams = 5
)

func (c *Config) check() error {
	switch {
	case c.Binary == "" && c.Server == "":
		return errors.New("Config.Binary is missing")
	case c.Model == "":
		return errors.New("Config.Model is missing")
	case c.Processes < 0 || c.Processes > 1024:
		return fmt.Errorf("Config.Processes is %d, must be 0 to 1024", c.Processes)
	case c.Threads < 0 || c.Threads > 1024:
		return fmt.Errorf("Config.Threads is %d, must be 0 to 1024", c.Threads) // whisper.cpp aborts below 1
	case c.Beams < 0 || c.Beams > 8:
		return fmt.Errorf("Config.Beams is %d, must be 0 to 8", c.Beams) // WHISPER_MAX_DECODERS
	case c.Server != "" && c.Beams > 1:
		return fmt.Errorf("Config.Beams is %d, must be 0 or 1 with Config.Server: in a process that stays, beam search gives another text each time", c.Beams)
	case c.Language != "" && !knownLanguage(c.Language):
		return fmt.Errorf("language %q is not one that Whisper knows; use a code such as en or de", c.Language)
	}
	c.Processes = max(1, c.Processes)
	switch {
	case c.Beams != 0:
	case c.Server != "":
		c.Beams = 1
	default:
		c.Beams = defaultBeams
	}
	return nil
}

// program is the one of the two that is used.
func (c *Config) program() *string {
	if c.Server != "" {
		return &c.Server
	}
	return &c.Binary
}

// fingerprint names everything that may change a transcript's text, and
// whether words are there.
func (c *Config) fingerprint(modelSum string) string {
	mode := ""
	if c.Server != "" {
		mode = " mode=server"
	}
	return fmt.Sprintf("whispercpp/1%s model=%s language=%s beams=%d words=%t", mode, modelSum, c.Language, c.Beams, c.Words)
}

// Engine describes the engine.
func (t *Transcriber) Engine() asr.Engine { return t.about }

// Transcribe works on one utterance after the other: in a process for each, or
// in one of the servers.
func (t *Transcriber) Transcribe(ctx context.Context, batch []asr.Utterance) iter.Seq2[asr.Transcript, error] {
	return func(yield func(asr.Transcript, error) bool) {
		w, release, err := t.worker(ctx)
		if err != nil {
			yield(asr.Transcript{}, err)
			return
		}
		defer release()
		for _, u := range batch {
			transcript, err := t.transcribe(ctx, w, u)
			if !yield(transcript, err) {
				return
			}
			if _, ok := errors.AsType[*asr.UtteranceError](err); err != nil && !ok {
				return
			}
		}
	}
}

// worker is what makes text of sound. Its error is an *asr.EngineError where
// the engine has died; any other concerns this job alone.
type worker interface {
	hear(ctx context.Context, j job) (*output, error)
}

// job is an utterance with what a worker needs.
type job struct {
	asr.Utterance
	language string
	dir      string      // a directory of its own
	sound    *retry.File // the recording, or a copy of it in dir
}

func (t *Transcriber) worker(ctx context.Context) (worker, func(), error) {
	g, err := t.prepare(ctx)
	if err != nil {
		return nil, nil, err
	}
	if t.config.Server == "" {
		return cli{t, g}, func() {}, nil
	}
	return t.takeServer(ctx, g)
}

func (t *Transcriber) transcribe(ctx context.Context, w worker, u asr.Utterance) (asr.Transcript, error) {
	start := time.Now()
	transcript, err := t.hear(ctx, w, u)
	if err != nil {
		return asr.Transcript{}, t.blame(ctx, u, err)
	}
	transcript.ID = u.ID
	transcript.Elapsed = time.Since(start)
	return transcript, nil
}

func (t *Transcriber) hear(ctx context.Context, w worker, u asr.Utterance) (none asr.Transcript, err error) {
	j := job{Utterance: u, language: t.config.Language}
	if u.Language != "" {
		if j.language, err = modelLanguage(t.model.Model, u.Language); err != nil {
			return none, err
		}
	}
	// An output file in a directory of its own cannot be an earlier one's.
	j.dir = t.ground.scope.Path(fmt.Sprintf("job%d", t.jobs.Add(1)))
	if err := t.config.FS.MkdirAll(ctx, j.dir); err != nil {
		return none, err
	}
	defer func() {
		if err := t.config.FS.RemoveAll(context.WithoutCancel(ctx), j.dir); err != nil {
			t.log.Warn("engine's directory is left to the next sweep", "dir", j.dir, "err", err)
		}
	}()
	sound, info, err := t.sound(ctx, j.dir, u.Path)
	if err != nil {
		return none, err
	}
	defer sound.Close()
	j.sound = sound
	if j.Duration <= 0 || j.Duration > info.Duration {
		j.Duration = info.Duration
	}
	out, err := w.hear(ctx, j)
	if err != nil {
		return none, err
	}
	return out.transcript(j.Duration, t.config.Words), nil
}

// Close ends the engine's processes and removes its files. A Transcribe that is
// under way ends with an error.
func (t *Transcriber) Close() error {
	if t.preparing == nil {
		return nil
	}
	t.mu.Lock()
	t.closed = true
	children := slices.Collect(maps.Keys(t.children))
	t.mu.Unlock()
	for _, child := range children {
		child.Kill()
	}
	for _, child := range children {
		child.Wait()
	}
	t.preparing <- struct{}{}
	defer func() { <-t.preparing }()
	if t.ground != nil {
		t.ground.scope.Close()
	}
	return nil
}
