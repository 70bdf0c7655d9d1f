package whispercpp

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/internal/proc"
)

// diagnose finds the cause of a missing transcript in what the engine left
// behind. The phrases are those of whisper.cpp from 2024 to 1.9.
func (t *Transcriber) diagnose(u asr.Utterance, ended proc.Result, err error) error {
	said := ended.Tail
	switch {
	case ended.Signal == syscall.SIGILL.String() || uint32(ended.ExitCode) == 0xC000001D: // STATUS_ILLEGAL_INSTRUCTION
		return t.engineError(ended, errors.New("the program was built for another processor (illegal instruction); build it here, or with GGML_NATIVE=OFF"))
	case ended.ExitCode == 3 || strings.Contains(said, "failed to initialize whisper context"):
		return t.engineError(ended, fmt.Errorf("%w: the engine could not load %s", asr.ErrBadModel, t.config.Model))
	case strings.Contains(said, "unknown argument") || strings.Contains(said, "requires value"):
		return t.engineError(ended, errors.New("the program does not know an option that it needs; use whisper.cpp of May 2024 or later"))
	case strings.Contains(said, "failed to read audio") || strings.Contains(said, "failed to read WAV"):
		err = asr.ErrBadAudio
	case ended.Signal != "":
		err = fmt.Errorf("the engine was ended by a signal: %s", ended.Signal)
	case errors.Is(err, errNoOutput):
		err = fmt.Errorf("%w (exit code %d)", asr.ErrNoResult, ended.ExitCode)
	}
	return &asr.UtteranceError{ID: u.ID, Path: u.Path, Err: err, Stderr: said}
}

func (t *Transcriber) engineError(ended proc.Result, err error) error {
	return &asr.EngineError{Engine: engineName, ExitCode: ended.ExitCode, Err: err, Stderr: ended.Tail}
}
