package nemo

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"github.com/holdfast-go/holdfast/internal/proc"
	"github.com/holdfast-go/holdfast/tempdir"
)

//go:embed worker.py
var script []byte

// worker is a Python process with a scope of its own, so that what a dead one
// has left goes with it.
type worker struct {
	config  *Config
	said    said
	scope   *tempdir.Scope
	process *proc.Process
	events  chan event
	stop    context.CancelFunc // kills the process, and lets its events go unheard

	about      Worker
	born       time.Time
	jobs       int
	utterances int
	memory     int64
}

// launch starts a process, which does nothing until it is asked. It outlives
// ctx.
func launch(ctx context.Context, c *Config) (*worker, error) {
	scope, err := c.Root.NewScope(ctx, engineName)
	if err != nil {
		return nil, engineError(err, false)
	}
	w := &worker{config: c, scope: scope, events: make(chan event), born: time.Now()}
	program := scope.Path("worker.py")
	if err := c.FS.WriteFile(ctx, program, script); err != nil {
		scope.Close()
		return nil, engineError(err, false)
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	w.process, err = proc.Start(life, proc.Command{
		Path:   c.Python,
		Args:   []string{program},
		Env:    c.environment(scope),
		Dir:    scope.Path(),
		Stdin:  true,
		Stdout: func(line []byte) { w.hear(life, line) },
		Stderr: func(line []byte) {
			w.said.add(string(line))
			c.Logger.Debug("NeMo says", "line", string(line))
		},
	})
	if err != nil {
		stop()
		scope.Close()
		return nil, engineError(err, errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission))
	}
	return w, nil
}

// hear passes an event on to whoever waits for it.
func (w *worker) hear(life context.Context, line []byte) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil || e.Event == "" {
		w.config.Logger.Debug("NeMo prints", "line", string(line)) // before our program takes the pipe
		return
	}
	select {
	case w.events <- e:
	case <-life.Done():
	}
}

// send asks for something. If the process cannot hear it, it has ended, and next
// says so.
func (w *worker) send(message any) {
	line, err := json.Marshal(message)
	if err == nil {
		_, err = w.process.Stdin().Write(append(line, '\n'))
	}
	if err != nil {
		w.config.Logger.Debug("NeMo does not listen", "err", err)
	}
}

// next waits for an event. Its error is the context's cause, or an
// *asr.EngineError of a process that has ended.
func (w *worker) next(ctx context.Context) (event, error) {
	select {
	case e := <-w.events:
		if e.Event == "broken" {
			return e, w.ended(e.failure())
		}
		return e, nil
	case <-w.process.Done():
		return event{}, w.ended(nil)
	case <-ctx.Done():
		return event{}, context.Cause(ctx)
	}
}

// close ends the process and removes its files. What another program holds is
// left to the next sweep.
func (w *worker) close() {
	w.stop()
	w.process.Wait()
	w.scope.Close()
}

// alive tells whether the process still runs.
func (w *worker) alive() bool {
	select {
	case <-w.process.Done():
		return false
	default:
		return true
	}
}

// due tells whether another process is to take over.
func (w *worker) due() bool {
	r := w.config.Recycle
	return r.Utterances > 0 && w.utterances >= r.Utterances ||
		r.Memory > 0 && w.memory >= r.Memory ||
		r.Age > 0 && time.Since(w.born) >= r.Age
}
