package whispercpp

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/internal/proc"
)

// outputName is the output file's name without its extension.
const outputName = "out"

// cli runs whisper-cli, a process for each job.
type cli struct {
	t *Transcriber
	g *ground
}

func (c cli) hear(ctx context.Context, j job) (*output, error) {
	out, err := c.once(ctx, j)
	if errors.Is(err, asr.ErrBadAudio) && ctx.Err() == nil {
		// On Windows another program may have locked a part of the file for a
		// moment, of which nobody else is told.
		out, err = c.once(ctx, j)
	}
	return out, err
}

func (c cli) once(ctx context.Context, j job) (*output, error) {
	model, err := c.g.model.hold(ctx, c.t.config.FS)
	if err != nil {
		return nil, c.t.dead(proc.Result{ExitCode: -1}, err)
	}
	defer model.Close()
	args, err := c.arguments(j)
	if err != nil {
		return nil, err
	}
	live := newLive(j.Utterance)
	ended, err := c.t.run(ctx, proc.Command{Path: c.t.config.Binary, Args: args, Dir: j.dir, Env: environment(c.g.scope), Stdout: live.line})
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	out, bad := c.t.readOutput(ctx, filepath.Join(j.dir, outputName+".json"))
	switch {
	case bad == nil: // also if it was stopped a moment later
		return out, nil
	case err != nil:
		return nil, err
	}
	return nil, c.t.diagnose(ended, bad)
}

// arguments makes the command line. -f is used even though names may stand
// alone, because it takes names that begin with a dash. The input is given
// relative to dir: on Windows the engine reads its arguments in the system's
// code page, and a scope's own names are plain ASCII. -p is never used: with
// it, whisper.cpp leaves times of later parts unshifted.
func (c cli) arguments(j job) ([]string, error) {
	input, err := filepath.Rel(j.dir, j.sound.Name())
	if err != nil {
		return nil, err
	}
	args := []string{
		"-m", c.g.modelPath(j.dir), "-f", input, "-of", outputName, "-ojf", "-l", j.language,
		"-bs", strconv.Itoa(c.t.config.Beams), "-bo", strconv.Itoa(c.t.config.Beams),
	}
	if c.g.options["-np"] {
		args = append(args, "-np") // no log; segments are still printed, and errors of ggml too
	}
	if c.t.config.Threads > 0 {
		args = append(args, "-t", strconv.Itoa(c.t.config.Threads))
	}
	return args, nil
}
