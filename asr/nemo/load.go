package nemo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/tempdir"
)

// load makes the model ready and checks what it says of itself.
func (w *worker) load(ctx context.Context, m model) error {
	c := w.config
	timeout := fmt.Errorf("%w: it did not start within %v", asr.ErrTimeout, c.StartTimeout)
	limited, cancel := context.WithTimeoutCause(ctx, c.StartTimeout, timeout)
	defer cancel()
	w.send(loadRequest{Op: "load", Model: m.path, Device: c.Device, Threads: c.Threads, Batch: c.Batch, Words: c.Words, CPU: c.CPU})
	e, err := w.answer(limited, "ready")
	if errors.Is(err, timeout) && ctx.Err() == nil {
		return &asr.EngineError{Engine: engineName, ExitCode: -1, Err: timeout, Stderr: w.said.String()}
	}
	if err != nil {
		return err
	}
	if e.Temp != w.scope.Path("t") {
		return engineError(fmt.Errorf("NeMo's temporary files would go to %s, outside the root", e.Temp), true)
	}
	if strconv.Itoa(e.Rate) != sampleRate {
		return engineError(fmt.Errorf("%w: it hears audio of %d Hz, and utterances have %s Hz", asr.ErrBadModel, e.Rate, sampleRate), true)
	}
	if err := m.unchanged(ctx, c.FS); err != nil { // the process has read it by now
		return engineError(err, errors.Is(err, asr.ErrBadModel))
	}
	w.memory = e.Memory
	w.about = Worker{
		PID: e.PID, Python: e.Python, NeMo: e.NeMo, Torch: e.Torch, Class: e.Model, Device: e.Device,
		Memory: e.Memory, Importing: elapsed(e.Importing), Loading: elapsed(e.Loading),
	}
	c.Logger.Info("NeMo is ready", "nemo", e.NeMo, "torch", e.Torch, "class", e.Model, "device", e.Device,
		"importing", w.about.Importing, "loading", w.about.Loading)
	if c.Trace.Ready != nil {
		c.Trace.Ready(w.about)
	}
	return nil
}

// answer waits for an event, and tells what comes before it.
func (w *worker) answer(ctx context.Context, name string) (event, error) {
	for {
		e, err := w.next(ctx)
		if err != nil || e.Event == name {
			return e, err
		}
		if e.Event == "step" {
			w.config.Logger.Info("NeMo starts", "step", e.Step)
			if w.config.Trace.Step != nil {
				w.config.Trace.Step(e.Step)
			}
		}
	}
}

func elapsed(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// download fetches the model's file into the cache that our processes have in
// the root.
func (c *Config) download(ctx context.Context) (string, error) {
	w, err := launch(ctx, c)
	if err != nil {
		return "", err
	}
	defer w.close()
	w.send(request{Op: "download", Repository: c.Model})
	e, err := w.answer(ctx, "downloaded")
	return e.Path, err
}

// environment is the scope's, with few changes. The number of threads is set there too, because
// the libraries below torch look at it when they are loaded.
func (c *Config) environment(scope *tempdir.Scope) []string {
	env := slices.DeleteFunc(scope.Env(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		switch strings.ToUpper(name) {
		case "OMP_NUM_THREADS", "MKL_NUM_THREADS":
			return true
		case "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE":
			return c.Download
		}
		return false
	})
	threads := strconv.Itoa(c.Threads)
	return append(env, "OMP_NUM_THREADS="+threads, "MKL_NUM_THREADS="+threads)
}
