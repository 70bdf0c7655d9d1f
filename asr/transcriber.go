package asr

import (
	"context"
	"iter"
	"time"

	"github.com/holdfast-go/holdfast/manifest"
)

// Transcriber is an engine that is ready to work.
type Transcriber interface {
	// Engine describes the engine; it is the same for the whole lifetime.
	Engine() Engine

	// Transcribe yields one transcript for each utterance of the batch, in any
	// order and each as soon as it is there. A [*UtteranceError] in place of a
	// transcript concerns that utterance alone; any other error means that the
	// engine has died and ends the sequence. The next call starts it again,
	// unless the error is an [*EngineError] that is Fatal. To stop iterating, or
	// to cancel ctx, stops the engine's work before Transcribe returns. At most
	// Engine.MaxParallel calls run at a time.
	Transcribe(ctx context.Context, batch []Utterance) iter.Seq2[Transcript, error]

	// Close ends the engine's processes. A second call does nothing.
	Close() error
}

// Engine describes a [Transcriber].
type Engine struct {
	Name        string // "whispercpp"
	Model       string // for people: "tiny.en", "parakeet-tdt-0.6b-v3"
	Fingerprint string // changes with everything that may change the text: weights, language, beams

	MaxBatch    int           // most utterances a call of Transcribe may get; 0: 1
	MaxParallel int           // most calls of Transcribe at the same time; 0: 1
	MaxAudio    time.Duration // a longer recording is better cut into several utterances; 0: it bears any

	// Fields names what the engine heeds in a manifest's entry beside lang, such
	// as "target_lang": another value makes another transcript.
	Fields []string
}

// Utterance is one unit of work for an engine.
type Utterance struct {
	ID       string        // unique in the batch; 16 hexadecimal digits
	Path     string        // 16 kHz, mono, 16-bit PCM WAV inside the run's scope
	Duration time.Duration // true length of the audio in Path
	Language string        // code such as "en"; "": the engine's default
	Source   manifest.Entry

	// Heard is told what the engine hears while it hears it, if the engine can
	// tell. It is a preview: the transcript may differ. nil: nobody listens.
	Heard func(Segment)
}

// Transcript is the best hypothesis for an utterance. Empty text is a result:
// nobody spoke.
type Transcript struct {
	ID       string
	Text     string
	Language string        // used or detected; "" where unknown
	Duration time.Duration // of the audio
	Segments []Segment
	Words    []Word        // nil where the engine gives none
	Elapsed  time.Duration // what the engine took
	Resumed  bool          // came from the journal of an earlier run
	Source   manifest.Entry
}

// Segment is a timed stretch of a transcript. Times count from the utterance's
// beginning.
type Segment struct {
	Start, End time.Duration
	Text       string
}

// Word is a timed word of a transcript.
type Word struct {
	Start, End time.Duration
	Text       string
	Confidence float64 // 0 to 1; 0: unknown
}
