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
	msg := fmt.Sprintf("transcribe: %v", e.Err)
	if e.Path != "" && !strings.Contains(msg, e.Path) {
		msg = fmt.Sprintf("transcribe %s: %v", e.Path, e.Err)
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
		for _, err := range each(err) {
			if failed, ok := errors.AsType[*UtteranceError](err); ok && !yield(failed) {
				return
			}
		}
	}
}

// each takes a *multierror.Error apart.
func each(err error) []error {
	if many, ok := errors.AsType[*multierror.Error](err); ok {
		return many.Errors
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// maxFailures is how many failed utterances an error of Run holds; all of them
// are counted in the report.
const maxFailures = 100

// joinFailures makes the error of a run of what ended it, or nil, and of the
// utterances that failed, of which there may have been more.
func joinFailures(ended error, failed []error, total int) error {
	errs := multierror.Append(ended, failed...)
	count := len(errs.Errors) + total - len(failed)
	errs.ErrorFormat = func(errs []error) string {
		if len(errs) == 1 {
			return errs[0].Error()
		}
		const shown = 5
		lines := []string{fmt.Sprintf("%d failures", count)}
		for _, err := range errs[:min(shown, len(errs))] {
			lines = append(lines, "  - "+err.Error())
		}
		if more := count - shown; more > 0 {
			lines = append(lines, fmt.Sprintf("  and %d more", more))
		}
		return strings.Join(lines, "\n")
	}
	return errs.ErrorOrNil()
}
