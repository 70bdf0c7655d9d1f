package asr

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// Options of a run. Root and Journal are needed.
type Options struct {
	Root    *tempdir.Root     // where recordings are staged
	Journal *manifest.Journal // where transcripts go first; runs at the same time may share one
	FS      retry.FS          // how files are touched; zero: real files, default policy

	Batch       int // utterances a call of the engine gets; 0: as many as it takes
	MaxParallel int // calls of the engine at the same time; 0: as many as it takes

	// FFmpeg is the program that reads what is no WAV file, video too. "": the
	// ffmpeg on the PATH, if there is one.
	FFmpeg string

	// MaxAudio is the longest utterance that the engine gets. A longer recording
	// is cut at its quietest points, its parts are transcribed and kept one by
	// one, and joined in the end, so that a crash costs minutes and not hours. 0:
	// what the engine bears; below 0: nothing is cut.
	MaxAudio time.Duration

	// Timeout is how long the engine may take for a stretch of audio. nil: ten
	// minutes and 60 times the stretch, which is generous because a busy
	// machine was seen to be 30 to 60 times slower than a quiet one.
	Timeout func(audio time.Duration) time.Duration

	Expect Amount       // what the input is thought to hold, for Progress.ETA; zero: unknown
	Logger *slog.Logger // nil: silent
	Trace  Trace
}

// Trace tells about a run while it goes on. Each function may be nil; they are
// called one at a time, from goroutines of the run, and must not block.
type Trace struct {
	Start    func(Utterance)          // the engine is about to get the utterance, or a part of one
	Segment  func(Utterance, Segment) // a preview of what the engine hears, if it can tell; the times are the recording's, and nothing is on disk yet
	Progress func(Progress)
	Restart  func(error) // the engine died with this error, and is started again
}

// Report sums up a run.
type Report struct {
	Total   int // utterances of the input, bad lines of manifests among them
	Done    int // transcribed in this run
	Resumed int // found in the journal
	Failed  int
	Audio   time.Duration // length of what was transcribed in this run
	Elapsed time.Duration // wall time of the whole run
	Left    []string      // temporary files that another program holds; the next sweep takes them
}

// RTFx is how many seconds of audio were transcribed in a second of wall time.
func (r Report) RTFx() float64 { return rtfx(r.Audio, r.Elapsed) }

// Run transcribes every utterance of the input into the journal. It returns nil
// only if each of them has a transcript; the report is valid in any case. The
// error says first what ended the run early, if anything did, and holds a
// [*UtteranceError] for each utterance that failed, 100 at most (see [Failures]).
// What was done is in the journal, and the same call goes on from there.
func Run(ctx context.Context, t Transcriber, in iter.Seq2[manifest.Entry, error], o Options) (Report, error) {
	r := newRunner(t, o)
	var failed []error
	var ended error
	for _, err := range r.stream(ctx, in) {
		_, isUtterance := errors.AsType[*UtteranceError](err)
		switch {
		case err == nil:
		case !isUtterance:
			ended = err
		case len(failed) < maxFailures:
			failed = append(failed, err)
		}
	}
	return r.report, joinFailures(ended, failed, r.report.Failed)
}

// Stream is [Run] as a sequence: each transcript is yielded once it is in the
// journal, in the input's order if the engine takes one at a time. A
// [*UtteranceError] concerns one utterance and the sequence goes on; any other
// error is its last element. To break out of the loop stops the engine. Memory
// does not grow with the length of the input, which a goroutine of the run ranges
// over, a few entries ahead; Stream returns when that has ended too. The input may
// be slow: what needs no engine is yielded in its turn all the same, but a batch
// waits until it is full or the input ends, so set [Options].Batch to 1 then.
func Stream(ctx context.Context, t Transcriber, in iter.Seq2[manifest.Entry, error], o Options) iter.Seq2[Transcript, error] {
	return func(yield func(Transcript, error) bool) {
		newRunner(t, o).stream(ctx, in)(yield)
	}
}
