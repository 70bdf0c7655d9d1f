package nemo

import (
	"context"
	"errors"
	"iter"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/asr"
)

// Transcriber is a NeMo model, ready to work. Open makes it.
type Transcriber struct {
	config Config
	model  model
	about  asr.Engine

	busy sync.Mutex // held by the one call that the process is for

	mu     sync.Mutex // the rest
	worker *worker    // nil: none runs
	closed bool
}

// Open checks the configuration and reads the whole model, whose bytes name it.
// It starts no process, so that a run whose transcripts are all in the journal
// starts none at all, unless the model is to be downloaded; [Transcriber.Start]
// proves that Python and NeMo work. A model that cannot be used gives
// asr.ErrBadModel.
func Open(ctx context.Context, c Config) (*Transcriber, error) {
	t := &Transcriber{config: c}
	err := t.config.check()
	var path string
	if err == nil {
		path, err = t.config.findModel(ctx)
	}
	if err == nil {
		t.model, err = inspect(ctx, c.FS, path)
	}
	if err != nil {
		if _, ok := errors.AsType[*asr.EngineError](err); ok {
			return nil, err
		}
		return nil, engineError(err, true)
	}
	s := t.model.settings
	t.about = asr.Engine{
		Name:        engineName,
		Model:       strings.TrimSuffix(filepath.Base(c.Model), ".nemo"),
		Fingerprint: t.config.fingerprint(t.model.sum),
		// Several batches: the process puts recordings of like length together.
		MaxBatch: 4 * t.config.Batch,
		MaxAudio: c.MaxAudio,
		Fields:   s.fields(),
	}
	if t.about.MaxAudio == 0 {
		t.about.MaxAudio = s.maxAudio()
	}
	return t, nil
}

// Engine describes the engine.
func (t *Transcriber) Engine() asr.Engine { return t.about }

// Start starts the process, unless it runs, and says what it is. Transcribe
// does so by itself; to call it first is to know early whether all is well. It
// takes ten seconds to a minute.
func (t *Transcriber) Start(ctx context.Context) (Worker, error) {
	t.busy.Lock()
	defer t.busy.Unlock()
	w, err := t.ready(ctx)
	if err != nil {
		return Worker{}, err
	}
	return w.about, nil
}

// ready gives a process with a loaded model.
func (t *Transcriber) ready(ctx context.Context) (*worker, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	t.mu.Lock()
	w := t.worker
	t.mu.Unlock()
	if w != nil {
		switch {
		case !w.alive():
			t.config.Logger.Warn("NeMo has ended between two calls; it is started again", "err", w.ended(nil))
		case w.due():
			t.config.Logger.Info("another NeMo process takes over", "utterances", w.utterances, "memory", w.memory)
		default:
			return w, nil
		}
		t.drop()
	}
	w, err := t.launch(ctx)
	if err == nil {
		err = w.load(ctx, t.model)
	}
	if err != nil {
		t.drop()
		return nil, t.why(err)
	}
	return w, nil
}

// why gives the reason of a dead process: to be closed counts more than to be
// killed, which is how it is done.
func (t *Transcriber) why(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return engineError(errClosed, true)
	}
	return err
}

func (t *Transcriber) launch(ctx context.Context) (*worker, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, engineError(errClosed, true)
	}
	w, err := launch(ctx, &t.config)
	if err != nil {
		return nil, err
	}
	t.worker = w
	return w, nil
}

// drop ends the process, and returns when it is gone.
func (t *Transcriber) drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.worker != nil {
		t.worker.close()
		t.worker = nil
	}
}

// Close ends the process and removes its files. A Transcribe that is under way
// ends with an error. A second call does nothing.
func (t *Transcriber) Close() error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.drop()
	return nil
}

// Transcribe has the process transcribe the batch; it starts it first where
// none runs.
func (t *Transcriber) Transcribe(ctx context.Context, batch []asr.Utterance) iter.Seq2[asr.Transcript, error] {
	return func(yield func(asr.Transcript, error) bool) {
		if len(batch) == 0 {
			return
		}
		t.busy.Lock()
		defer t.busy.Unlock()
		w, err := t.ready(ctx)
		j := &job{worker: w, open: batch, yield: yield}
		switch {
		case err != nil && ctx.Err() != nil:
			j.fail(context.Cause(ctx))
		case err != nil:
			yield(asr.Transcript{}, err)
		case !j.run(ctx, t):
			t.drop()
		}
	}
}

var errClosed = errors.New("the engine is closed")

// patience is how long a process may take to stop before it is killed.
const patience = 500 * time.Millisecond
