package nemo

import (
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// Config says which model to run, and how. Python, Model and Root are needed.
type Config struct {
	Python string        // a Python that can import nemo, such as "venv/bin/python"
	Model  string        // a .nemo file, a directory into which one was unpacked, or "owner/name" in the Hugging Face cache
	Root   *tempdir.Root // where the engine's files go

	Device   string        // "cpu", "cuda", "cuda:1"; "": the first GPU, or else the CPU
	Language string        // of utterances that name none, for models with a prompt (Canary); "": English
	Words    bool          // ask for the times of words and segments
	Batch    int           // most utterances that the model hears at once; 0: 8
	Threads  int           // of the CPU; 0: half of the processors, 8 at most
	MaxAudio time.Duration // longest utterance; 0: 40 s for Canary, 5 min for the others

	// CPU lets an utterance that does not fit into the device's memory even
	// alone be transcribed by the CPU, instead of failing.
	CPU bool

	// Download fetches a model that is not in the Hugging Face cache into the
	// root's cache. Otherwise nothing is asked of the network.
	Download bool

	StartTimeout time.Duration // to import NeMo and load the model; 0: 5 min
	Recycle      Recycle

	FS     retry.FS     // how files are touched; zero: real files, default policy
	Logger *slog.Logger // nil: silent. NeMo's own messages come at the debug level
	Trace  Trace
}

// Recycle says when a new process takes over, between two calls, because NeMo's
// memory grows in long runs. Zero values: never.
type Recycle struct {
	Utterances int
	Memory     int64 // bytes in use
	Age        time.Duration
}

// Trace tells about the process. Each function may be nil; none may block.
type Trace struct {
	Step  func(step string) // a start, which takes ten seconds to a minute, has come to: "importing NeMo", "loading the model"
	Ready func(Worker)      // a process can begin to work
}

// Worker describes a process that is ready.
type Worker struct {
	PID                 int
	Python, NeMo, Torch string // versions
	Class               string // of the model: "EncDecRNNTBPEModel"
	Device              string // on which it is
	Memory              int64  // bytes in use
	Importing, Loading  time.Duration
}

const (
	engineName     = "nemo"
	defaultBatch   = 8
	defaultStart   = 5 * time.Minute // an import took 85 s on a busy machine
	maximumThreads = 1024
)

// check fills in the defaults.
func (c *Config) check() error {
	switch {
	case c.Root == nil:
		return errors.New("Config.Root is missing")
	case c.Python == "":
		return errors.New("Config.Python is missing; name a Python that can import nemo, such as venv/bin/python")
	case c.Model == "":
		return errors.New("Config.Model is missing")
	case c.Batch < 0:
		return fmt.Errorf("Config.Batch is %d, must not be negative", c.Batch)
	case c.Threads < 0 || c.Threads > maximumThreads:
		return fmt.Errorf("Config.Threads is %d, must be 0 to %d", c.Threads, maximumThreads)
	case c.MaxAudio < 0 || c.StartTimeout < 0:
		return errors.New("Config.MaxAudio and Config.StartTimeout must not be negative")
	}
	python, err := exec.LookPath(c.Python)
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return fmt.Errorf("Config.Python: %w", err)
	}
	// The link is kept: a virtual environment is known by where its link lies.
	if c.Python, err = filepath.Abs(python); err != nil {
		return err
	}
	if c.Batch == 0 {
		c.Batch = defaultBatch
	}
	if c.Threads == 0 {
		c.Threads = min(8, max(1, runtime.NumCPU()/2))
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = defaultStart
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// fingerprint names everything that may change a transcript's text, and whether
// words are there. NeMo's version is not among it: it is known only once the
// process runs, and a run that finds all transcripts in its journal starts none.
func (c *Config) fingerprint(sum string) string {
	return fmt.Sprintf("nemo/1 model=%s language=%s words=%t", sum, c.Language, c.Words)
}
