package asr

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/hashicorp/go-multierror"
)

// What an engine or an input can be at fault for; asked for by errors.Is.
var (
	ErrBadAudio    = errors.New("bad audio")             // the input cannot be read as sound
	ErrBadModel    = errors.New("bad model")             // the model cannot be used
	ErrTimeout     = errors.New("engine timed out")      // it was stopped after Options.Timeout
	ErrNoResult    = errors.New("engine gave no result") // it ended as if all were well, without one
	ErrOutOfMemory = errors.New("out of memory")         // of the device or of the machine
)

// UtteranceError says why one utterance has no transcript. Others are not
// affected.
type UtteranceError struct {
	ID     string // "" if it failed before it had one
	Path   string // the input, as it was given
	Err    error
	Stderr string // last lines of the engine's own messages
}

func (e *UtteranceError) Error() string {
	msg := "transcribe: " + e.Err.Error()
	if e.Path != "" && !strings.Contains(msg, e.Path) {
		msg = "transcribe " + e.Path + ": " + e.Err.Error()
	}
	return withStderr(msg, e.Stderr)
}

func (e *UtteranceError) Unwrap() error { return e.Err }

// EngineError says why an engine cannot be used, or has died.
type EngineError struct {
	Engine   string // "whispercpp"
	ExitCode int    // of its process; -1: killed, or it never ran
	Err      error
	Stderr   string // last lines of its own messages
	Fatal    bool   // to start it again would not help
}

func (e *EngineError) Error() string {
	msg := fmt.Sprintf("engine %s: %v", e.Engine, e.Err)
	if e.ExitCode > 0 {
		msg += fmt.Sprintf(" (exit code %d)", e.ExitCode)
	}
	return withStderr(msg, e.Stderr)
}

func (e *EngineError) Unwrap() error { return e.Err }

// withStderr adds the last line of an engine's messages; the whole tail is in
// the error's field.
func withStderr(msg, stderr string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		msg += "; the engine said: " + last
	}
	return msg
}

// Failures ranges over the utterances that failed in an error of [Run].
func Failures(err error) iter.Seq[*UtteranceError] {
	return func(yield func(*UtteranceError) bool) {
		if many, ok := errors.AsType[*multierror.Error](err); ok {
			for _, err := range many.Errors {
				if failed, ok := errors.AsType[*UtteranceError](err); ok && !yield(failed) {
					return
				}
			}
			return
		}
		if failed, ok := errors.AsType[*UtteranceError](err); ok {
			yield(failed)
		}
	}
}

// maxFailures is how many failed utterances an error of Run holds; all of them
// are counted in the report.
const maxFailures = 100

// formatFailures prints the first five of many.
func formatFailures(total int) multierror.ErrorFormatFunc {
	return func(errs []error) string {
		if len(errs) == 1 && total <= 1 {
			return errs[0].Error()
		}
		const shown = 5
		lines := []string{fmt.Sprintf("%d failures", max(total, len(errs)))}
		for _, err := range errs[:min(shown, len(errs))] {
			lines = append(lines, "  - "+err.Error())
		}
		if more := max(total, len(errs)) - shown; more > 0 {
			lines = append(lines, fmt.Sprintf("  and %d more", more))
		}
		return strings.Join(lines, "\n")
	}
}
