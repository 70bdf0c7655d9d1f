package whispercpp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/internal/proc"
)

// diagnose finds the cause of a missing transcript in what a process left
// behind. The phrases are those of whisper.cpp from 2024 to 1.9. Its error is an
// *asr.EngineError, or one that concerns this utterance alone.
func (t *Transcriber) diagnose(ended proc.Result, err error) error {
	if err := t.crashed(ended); err != nil {
		return err
	}
	said := ended.Tail
	switch {
	case says(said, "unknown argument", "requires value", "unknown language"):
		return &asr.EngineError{Engine: engineName, ExitCode: ended.ExitCode, Stderr: said, Fatal: true,
			Err: errors.New("the program does not know an option that it was given")}
	case says(said, "failed to read audio", "failed to read WAV"):
		return &utteranceError{asr.ErrBadAudio, said}
	case errors.Is(err, errNoOutput):
		return &utteranceError{fmt.Errorf("%w (exit code %d)", asr.ErrNoResult, ended.ExitCode), said}
	}
	return &utteranceError{err, said}
}

// dead makes an *asr.EngineError of what is none yet.
func (t *Transcriber) dead(ended proc.Result, err error) error {
	if _, ok := errors.AsType[*asr.EngineError](err); ok {
		return err
	}
	return &asr.EngineError{Engine: engineName, ExitCode: ended.ExitCode, Err: err, Stderr: ended.Tail, Fatal: errors.Is(err, asr.ErrBadModel)}
}

// crashed gives the error of a process that cannot have done any work, whatever
// it was given; nil if it can.
func (t *Transcriber) crashed(ended proc.Result) error {
	said, how := ended.Tail, crash(ended)
	fail := &asr.EngineError{Engine: engineName, ExitCode: ended.ExitCode, Stderr: said}
	switch {
	case ended.Signal == syscall.SIGILL.String() || uint32(ended.ExitCode) == 0xC000001D || ended.ExitCode == 128+4: // STATUS_ILLEGAL_INSTRUCTION
		fail.Fatal = true
		fail.Err = errors.New("the program was built for another processor (illegal instruction); build it here, or with GGML_NATIVE=OFF")
	case says(said, "bad_alloc", "failed to allocate", "insufficient memory", "out of memory", "not enough memory"):
		fail.Err = asr.ErrOutOfMemory
	case says(said, "failed to initialize whisper context"):
		fail.Fatal = true
		fail.Err = fmt.Errorf("%w: the engine could not load %s", asr.ErrBadModel, t.config.Model)
	case how != "":
		fail.Err = fmt.Errorf("the engine has crashed: %s", how)
	default:
		return nil
	}
	return fail
}

// crash names the end of a process that did not exit by itself; "" if it did.
func crash(ended proc.Result) string {
	switch code := uint32(ended.ExitCode); {
	case ended.Signal == syscall.SIGKILL.String():
		return "it was killed, perhaps by the system for want of memory"
	case ended.Signal != "":
		return "ended by signal: " + ended.Signal
	case ended.ExitCode == -1:
		return "nobody knows why"
	case code >= 0xC0000000: // NTSTATUS with the severity "error"
		return fmt.Sprintf("exception 0x%08X", code)
	case code == 3: // abort() on Windows; whisper.cpp's own 3 comes with a phrase
		return "aborted (exit code 3)"
	case code > 128 && code < 160: // as a shell script says it
		return fmt.Sprintf("ended by signal %d", code-128)
	}
	return ""
}

func says(text string, phrases ...string) bool {
	for _, p := range phrases {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// utteranceError is a worker's error about one utterance, with what the engine
// has said.
type utteranceError struct {
	error
	stderr string
}

func (e *utteranceError) Unwrap() error { return e.error }

// blame makes the error that the caller gets.
func (t *Transcriber) blame(ctx context.Context, u asr.Utterance, err error) error {
	failed := &asr.UtteranceError{ID: u.ID, Path: u.Path, Err: err}
	if known, ok := errors.AsType[*utteranceError](err); ok {
		failed.Err, failed.Stderr = known.error, known.stderr
	}
	if ctx.Err() != nil {
		failed.Err = context.Cause(ctx)
		return failed
	}
	if t.isClosed() {
		return closedError()
	}
	if dead, ok := errors.AsType[*asr.EngineError](err); ok {
		return dead
	}
	return failed
}
