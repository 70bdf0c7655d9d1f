package nemo

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/asr"
)

// failure is an error inside Python.
type failure struct {
	kind    string
	message string   // "RuntimeError: CUDA out of memory"
	causes  []string // what it came from, the nearest first
	cleanup []string // temporary files that could not be removed meanwhile; they are removed later
}

func (e *event) failure() *failure {
	return &failure{kind: e.Kind, message: e.Message, causes: e.Causes, cleanup: e.Cleanup}
}

func (f *failure) Error() string {
	parts := []string{f.message}
	for _, cause := range f.causes {
		parts = append(parts, "caused by "+cause)
	}
	if len(f.cleanup) > 0 {
		parts = append(parts, fmt.Sprintf("besides, temporary files were held (%s)", f.cleanup[0]))
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// Unwrap gives the decision that a program may take.
func (f *failure) Unwrap() error {
	switch f.kind {
	case "bad_audio":
		return asr.ErrBadAudio
	case "oom":
		return asr.ErrOutOfMemory
	}
	return nil
}

// fatal tells whether another process would say the same.
func (f *failure) fatal() bool { return slices.Contains([]string{"root", "install", "model"}, f.kind) }

// engineError says why there is no engine.
func engineError(err error, fatal bool) *asr.EngineError {
	return &asr.EngineError{Engine: engineName, ExitCode: -1, Err: err, Fatal: fatal}
}

// ended says why a process that should work does not: by its own last words, or
// by how it ended.
func (w *worker) ended(last *failure) *asr.EngineError {
	result, err := w.process.Wait()
	e := &asr.EngineError{Engine: engineName, ExitCode: result.ExitCode, Stderr: result.Tail}
	switch {
	case last != nil:
		e.Err, e.Fatal = last, last.fatal()
		e.ExitCode = -1 // its own code adds nothing to its words
		if last.kind == "model" {
			e.Err = fmt.Errorf("%w: %w", asr.ErrBadModel, last)
		}
	case result.Signal != "":
		e.Err = fmt.Errorf("the Python process was ended by a signal: %s", result.Signal)
		if result.Signal == "killed" {
			e.Err = fmt.Errorf("%w; so does the system when memory runs out", e.Err)
		}
	case err != nil:
		e.Err = errors.New("the Python process has ended")
	default:
		e.Err = errors.New("the Python process has ended as if all were well")
	}
	return e
}
