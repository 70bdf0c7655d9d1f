package whispercpp

import (
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/asr"
)

// diagnose finds the cause of a missing transcript in what the engine left
// behind. The phrases are those of whisper.cpp from 2024 to 1.9.
func (t *Transcriber) diagnose(u asr.Utterance, ended ended, err error) error {
	said := ended.stderr
	switch {
	case ended.illegalInstruction:
		return t.engineError(ended, errors.New("the program was built for another processor (illegal instruction); build it here, or with GGML_NATIVE=OFF"))
	case ended.exitCode == 3 || strings.Contains(said, "failed to initialize whisper context"):
		return t.engineError(ended, fmt.Errorf("%w: the engine could not load %s", asr.ErrBadModel, t.config.Model))
	case strings.Contains(said, "unknown argument") || strings.Contains(said, "requires value"):
		return t.engineError(ended, errors.New("the program does not know an option that it needs; use whisper.cpp of May 2024 or later"))
	case strings.Contains(said, "failed to read audio") || strings.Contains(said, "failed to read WAV"):
		err = asr.ErrBadAudio
	case ended.signal != "":
		err = fmt.Errorf("the engine was ended by a signal: %s", ended.signal)
	case errors.Is(err, errNoOutput):
		err = fmt.Errorf("%w (exit code %d)", asr.ErrNoResult, ended.exitCode)
	}
	return &asr.UtteranceError{ID: u.ID, Path: u.Path, Err: err, Stderr: said}
}

func (t *Transcriber) engineError(ended ended, err error) error {
	return &asr.EngineError{Engine: engineName, ExitCode: ended.exitCode, Err: err, Stderr: ended.stderr}
}
