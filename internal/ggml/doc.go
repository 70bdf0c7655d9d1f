// Package ggml knows the two file formats of Whisper weights: it checks a ggml
// file, the format of whisper.cpp, before an engine is handed it, and it makes
// one out of a CTranslate2 model, the format in which the weights are shipped
// by package registries.
//
// It only reads and writes streams; whoever calls it opens and publishes the
// files.
package ggml

import "fmt"

// FormatError says that the bytes are at fault and not the reading of them: the
// same file will be refused again. Reason is one plain line.
type FormatError struct{ Reason string }

func (e *FormatError) Error() string { return e.Reason }

func refuse(format string, args ...any) error {
	return &FormatError{Reason: fmt.Sprintf(format, args...)}
}
