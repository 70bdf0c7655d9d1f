// Package engine lets every program of the examples choose its speech engine
// by the same flags.
package engine

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/nemo"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/tempdir"
)

// The engines that there are.
const (
	WhisperCPP = "whispercpp"
	NeMo       = "nemo"
)

// defaultModel is whisper.cpp's.
const defaultModel = "tiny.en"

// Choice is an engine and how it is to work. Flags fills it.
type Choice struct {
	Name     string // WhisperCPP or NeMo
	Model    string // a name that can be fetched, or a path; "": whisper.cpp's tiny.en
	Language string // "": whisper.cpp detects it, NeMo takes English
	Words    bool
	Threads  int    // 0: the engine's default
	Python   string // runs NeMo, and fetches for whisper.cpp

	// Of whisper.cpp alone.
	Binary    string // whisper-cli; "": on the PATH, or fetched
	Server    string // whisper-server; "": a process for each recording
	Processes int    // 0: 1
	Beams     int    // 0: 5, or 1 with Server
}

// Flags adds the flags of the choice.
func (c *Choice) Flags(flags *flag.FlagSet) {
	flags.StringVar(&c.Name, "engine", WhisperCPP, "`ENGINE`: whispercpp or nemo")
	flags.StringVar(&c.Model, "model", "", "`NAME` (tiny.en, base) or path of a model for whisper.cpp; else tiny.en. For NeMo: a .nemo file or owner/name")
	flags.StringVar(&c.Language, "lang", "", "language `CODE`, such as en; else detected")
	flags.StringVar(&c.Language, "language", "", "the `CODE` as well")
	flags.BoolVar(&c.Words, "words", false, "words with times, for -json and the formats json and ctm")
	flags.IntVar(&c.Threads, "threads", 0, "`N` threads of an engine's process; 0: the engine's own default")
	flags.StringVar(&c.Python, "python", "", "`PATH` of the Python that fetches or, for NeMo, runs the model")
	flags.StringVar(&c.Binary, "binary", "", "`PATH` of whisper-cli; else that on the PATH, else one that is fetched")
	flags.StringVar(&c.Server, "server", "", "`PATH` of whisper-server, which keeps the model in memory: quicker for many short recordings")
	flags.IntVar(&c.Processes, "processes", 0, "`N` processes of whisper.cpp at the same time; 0: 1")
	flags.IntVar(&c.Beams, "beams", 0, "`N` hypotheses that whisper.cpp follows, 1 to 8; 0: 5, or 1 with -server")
}

// Check says what of the choice can be seen to be wrong before anything is
// opened.
func (c *Choice) Check() error {
	switch c.Name {
	case WhisperCPP:
		return nil
	case NeMo:
	default:
		return fmt.Errorf("unknown engine %q; there are whispercpp and nemo", c.Name)
	}
	switch {
	case c.Python == "":
		return errors.New("-engine nemo needs -python: one that can import nemo, such as venv/bin/python")
	case c.Model == "":
		return errors.New("-engine nemo needs -model: a .nemo file, or a model's owner/name at Hugging Face")
	case c.Binary != "" || c.Server != "" || c.Processes != 0 || c.Beams != 0:
		return errors.New("-binary, -server, -processes and -beams are for -engine whispercpp")
	}
	return nil
}

// Open finds or fetches what the engine needs and opens it. tell is told what
// takes a while, here and when the engine starts; it may be nil.
func (c *Choice) Open(ctx context.Context, root *tempdir.Root, log *slog.Logger, tell func(whispercpp.Progress)) (asr.Transcriber, error) {
	if tell == nil {
		tell = func(whispercpp.Progress) {}
	}
	if c.Name == NeMo {
		return nemo.Open(ctx, nemo.Config{
			Python: c.Python, Model: c.Model, Root: root, Language: c.Language, Words: c.Words, Threads: c.Threads,
			CPU: true, Download: true, Logger: log,
			Trace: nemo.Trace{Step: func(step string) { tell(whispercpp.Progress{Doing: step}) }},
		})
	}
	return c.openWhisper(ctx, root, log, tell)
}

func (c *Choice) openWhisper(ctx context.Context, root *tempdir.Root, log *slog.Logger, tell func(whispercpp.Progress)) (asr.Transcriber, error) {
	fetcher := whispercpp.Fetcher{Python: c.Python, Progress: func(p whispercpp.Progress) {
		p.Doing = "first run: " + p.Doing
		tell(p)
	}}
	config := whispercpp.Config{
		Root: root, Language: c.Language, Words: c.Words, Beams: c.Beams, Threads: c.Threads, Processes: c.Processes, Logger: log,
	}
	name := c.Model
	if name == "" {
		name = defaultModel
	}
	var err error
	if config.Model, err = fetcher.Model(ctx, name); err != nil {
		return nil, err
	}
	switch {
	case c.Server != "":
		config.Server, err = find(c.Server)
	case c.Binary != "":
		config.Binary, err = find(c.Binary)
	default:
		config.Binary, err = fetcher.Binary(ctx)
	}
	if err != nil {
		return nil, err
	}
	return whispercpp.Open(ctx, config)
}

// find looks a bare name up on the PATH. What is wrong with a path is found out
// when the program is needed: with every transcript in the journal it is not.
func find(program string) (string, error) {
	if _, err := os.Stat(program); err == nil || filepath.Base(program) != program {
		return program, nil
	}
	return exec.LookPath(program)
}
