package whispercpp

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/internal/proc"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// launch starts a process, which Close would end, and which ends with life.
// What calls launch calls reap.
func (t *Transcriber) launch(ctx, life context.Context, c proc.Command) (child *proc.Process, err error) {
	// On Windows a program cannot be started while a scanner has it open alone.
	err = t.config.FS.Policy.Do(ctx, retry.Op{Kind: retry.OpOpen, Path: c.Path}, func() (err error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.closed {
			return errClosed
		}
		if child, err = proc.Start(life, c); err == nil {
			t.children[child] = struct{}{}
		}
		return err
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &asr.EngineError{Engine: engineName, ExitCode: -1, Err: err, Fatal: errors.Is(err, errClosed) || unusable(err)}
	}
	return child, nil
}

var errClosed = errors.New("the engine is closed")

func closedError() error {
	return &asr.EngineError{Engine: engineName, ExitCode: -1, Err: errClosed, Fatal: true}
}

func (t *Transcriber) isClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

// unusable tells whether a program that could not be started never will be.
func unusable(err error) bool {
	const badFormat, otherMachine = syscall.Errno(193), syscall.Errno(216) // ERROR_BAD_EXE_FORMAT, ERROR_EXE_MACHINE_TYPE_MISMATCH
	for _, reason := range []error{fs.ErrNotExist, fs.ErrPermission, syscall.ENOEXEC, badFormat, otherMachine} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

// reap waits for the end of a process.
func (t *Transcriber) reap(child *proc.Process) (proc.Result, error) {
	ended, err := child.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.children, child)
	return ended, err
}

// run starts a process and waits for its end. An exit code other than 0 is no
// error: after many failures whisper.cpp's is 0.
func (t *Transcriber) run(ctx context.Context, c proc.Command) (proc.Result, error) {
	child, err := t.launch(ctx, ctx, c)
	if err != nil {
		return proc.Result{}, err
	}
	ended, err := t.reap(child)
	if ctx.Err() != nil {
		return ended, context.Cause(ctx)
	}
	if _, exited := errors.AsType[*proc.ExitError](err); err != nil && !exited {
		return ended, t.dead(ended, err)
	}
	return ended, nil
}

// environment is the scope's, without the variables that change what
// whisper.cpp does (one makes every file unreadable, one loads a library), and
// with the one that keeps it from calling a debugger when it aborts.
func environment(scope *tempdir.Scope) []string {
	env := []string{"GGML_NO_BACKTRACE=1"}
	for _, entry := range scope.Env() {
		name, _, _ := strings.Cut(entry, "=")
		switch strings.ToUpper(name) {
		case "WHISPER_ARG_DEVICE", "WHISPER_COMMON_MINIAUDIO_SKIP", "GGML_BACKEND_PATH", "GGML_NO_BACKTRACE":
			continue
		}
		env = append(env, entry)
	}
	return env
}
