package main

import (
	"errors"
	"strings"

	"github.com/holdfast-go/holdfast/asr"
)

// explain says to the owner of a recording why it has no transcript: by its
// name, not by a path of the server's.
func explain(err error, path, name string) string {
	cause := err
	if failed, ok := errors.AsType[*asr.UtteranceError](err); ok {
		cause = failed.Err
	}
	text := strings.ReplaceAll(cause.Error(), path, name)
	_, engine := errors.AsType[*asr.EngineError](err)
	switch {
	case isDiskFull(err):
		return "The disk is full. Free some space and try again. (" + text + ")"
	case errors.Is(err, asr.ErrBadAudio):
		text = strings.TrimPrefix(text, asr.ErrBadAudio.Error()+": ")
		text = strings.TrimSuffix(text, ": "+asr.ErrBadAudio.Error())
		return "This cannot be read as a recording: " + text
	case errors.Is(err, asr.ErrTimeout):
		return "The engine took too long and was stopped. Try again."
	case errors.Is(err, asr.ErrOutOfMemory):
		return "There was not enough memory. Close other programs, or use a smaller model, and try again."
	case engine:
		return "The engine stopped: " + text
	}
	return "It could not be transcribed: " + text
}
