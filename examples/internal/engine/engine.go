// Package engine lets every program of the examples choose its speech engine
// by the same flags.
package engine

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/tempdir"
)

// The engines that there are.
const (
	WhisperCPP = "whispercpp"
	NeMo       = "nemo"
)

// Choice is an engine and how it is to work. Flags fills it.
type Choice struct {
	Name     string // WhisperCPP or NeMo
	Model    string // a name that can be fetched, or a path
	Binary   string // whisper-cli; "": on the PATH, or fetched
	Python   string // of NeMo, and for fetching
	Language string // "": detected
	Words    bool
	Beams    int // 0: the engine's default
	Threads  int // 0: the engine's default
}

// Flags adds the flags of the choice.
func (c *Choice) Flags(flags *flag.FlagSet) {
	flags.StringVar(&c.Name, "engine", WhisperCPP, "`ENGINE`: whispercpp or nemo")
	flags.StringVar(&c.Model, "model", "tiny.en", "`NAME` (tiny.en, base) or path of a model")
	flags.StringVar(&c.Binary, "binary", "", "`PATH` of whisper-cli; else that on the PATH, else one that is fetched")
	flags.StringVar(&c.Python, "python", "", "`PATH` of the Python that fetches or, for NeMo, runs the model")
	flags.StringVar(&c.Language, "lang", "", "language `CODE`, such as en; else detected")
	flags.StringVar(&c.Language, "language", "", "the same as -lang")
	flags.BoolVar(&c.Words, "words", false, "words with times, for -json and the formats json and ctm")
	flags.IntVar(&c.Beams, "beams", 0, "`N` hypotheses that whisper.cpp follows, 1 to 8; 0: 5")
	flags.IntVar(&c.Threads, "threads", 0, "`N` threads of an engine's process; 0: the engine's own default")
}

// Check says what of the choice can be seen to be wrong before anything is opened.
func (c *Choice) Check() error {
	if c.Name != WhisperCPP && c.Name != NeMo {
		return fmt.Errorf("unknown engine %q; there are whispercpp and nemo", c.Name)
	}
	return nil
}

// Open finds or fetches what the engine needs and opens it. fetching is told
// what is being fetched; it may be nil.
func (c *Choice) Open(ctx context.Context, root *tempdir.Root, log *slog.Logger, fetching func(whispercpp.Progress)) (asr.Transcriber, error) {
	if c.Name == NeMo {
		return nil, errors.New("the engine nemo is not there yet; use -engine whispercpp")
	}
	fetcher := whispercpp.Fetcher{Python: c.Python, Progress: fetching}
	model, err := fetcher.Model(ctx, c.Model)
	if err != nil {
		return nil, err
	}
	binary := c.Binary
	if binary == "" {
		if binary, err = fetcher.Binary(ctx); err != nil {
			return nil, err
		}
	}
	return whispercpp.Open(ctx, whispercpp.Config{
		Binary: binary, Model: model, Root: root, Language: c.Language, Words: c.Words,
		Beams: c.Beams, Threads: c.Threads, Logger: log,
	})
}
