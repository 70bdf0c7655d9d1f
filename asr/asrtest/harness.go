package asrtest

import (
	"context"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/tempdir"
)

// Harness says how to open an engine and what it can do. Open is needed; what
// else is missing needs a reason in the field that is named after it, which
// the suite prints.
type Harness struct {
	// Open opens the engine; its files go into root. It is called several times.
	// The suite closes what it returns. Where the engine can give words, it
	// should be told to. While it is called, the home, temporary and working
	// directories are those of the suite, which watches them: prepare what needs
	// others before Run, and name files by absolute paths.
	Open func(t *testing.T, root *tempdir.Root) asr.Transcriber

	// Other opens the engine with an option or weights that may change a text,
	// so that its fingerprint has to be another.
	Other func(t *testing.T, root *tempdir.Root) asr.Transcriber

	// Speech are recordings that the engine understands, two or more with
	// different texts.
	Speech []Clip

	// WER is how many words may be wrong for each word of a Clip's text. 0: none.
	// Case and punctuation do not count.
	WER float64

	// Kill kills the engine's process while a call of Transcribe is under way in
	// another goroutine; ctx ends with that call. nil: the suite kills every
	// process that it sees.
	Kill func(ctx context.Context, engine asr.Transcriber) error

	// Patience is how long a call may take before it counts as hanging. 0: five
	// minutes. On a busy machine everything is 30 to 60 times slower.
	Patience time.Duration

	// Why something cannot be tested. Each is printed, and its check skipped.
	NoSpeech string // no recordings: "the model is scripted and hears nothing"
	NoWords  string // transcripts have no words: "the model gives no times"
	NoOther  string // Other is nil: "it has no options"
	NoKill   string // the engine cannot be killed: "it runs in this process"
}

// Clip is a recording whose text is known.
type Clip struct {
	Path     string // 16 kHz, mono, 16-bit PCM WAV
	Text     string // what is said in it
	Language string // code such as "en"; "": the engine's default
}
