package whispercpp

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/internal/proc"
	"github.com/holdfast-go/holdfast/tempdir"
)

// ground is what all processes stand on.
type ground struct {
	scope   *tempdir.Scope
	model   modelFile // under a path that the engine understands
	options options
}

// limits are how long an engine may take to do nothing.
type limits struct {
	help  time.Duration // to list its options
	start time.Duration // to load its model and answer
}

// defaultLimits are generous, because a busy machine was seen to be 60 times
// slower than a quiet one, and a large model may come from a slow disk.
func defaultLimits() limits { return limits{help: 2 * time.Minute, start: 10 * time.Minute} }

// prepare makes the ground, once.
func (t *Transcriber) prepare(ctx context.Context) (*ground, error) {
	if t.preparing == nil {
		return nil, closedError()
	}
	select {
	case t.preparing <- struct{}{}:
		defer func() { <-t.preparing }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if t.isClosed() {
		return nil, closedError()
	}
	if t.ground != nil {
		return t.ground, nil
	}
	scope, err := t.config.Root.NewScope(ctx, engineName)
	g := &ground{scope: scope}
	if err == nil {
		g.model, err = t.model.reachable(ctx, t.config.FS, scope.Path())
	}
	if err == nil {
		g.options, err = t.askOptions(ctx, scope)
	}
	if err == nil {
		t.ground = g
		return g, nil
	}
	if scope != nil {
		scope.Close()
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, t.dead(proc.Result{ExitCode: -1}, err)
}

// modelPath is the model's, for a process that runs in dir.
func (g *ground) modelPath(dir string) string {
	if rel, err := filepath.Rel(dir, g.model.path); err == nil && !isASCII(g.model.path) {
		return rel // the directory of the scope has such a name too
	}
	return g.model.path
}

// options are those that a program lists.
type options map[string]bool

var (
	option = regexp.MustCompile(`(?:^|\s)(--?[a-zA-Z][a-zA-Z-]*)`)

	cliNeeds    = []string{"-m", "-f", "-of", "-ojf", "-l", "-bs", "-bo", "-t"}
	serverNeeds = []string{"-m", "-l", "-bs", "-bo", "-t", "--host", "--port", "--request-path", "--public"}
)

// askOptions lets the program list its options. All that is needed must be
// there, for an unknown one makes it print its usage and exit with 0.
func (t *Transcriber) askOptions(ctx context.Context, scope *tempdir.Scope) (options, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.limits.help, fmt.Errorf("it has not listed its options in %v", t.limits.help))
	defer cancel()
	var mu sync.Mutex
	var said strings.Builder
	collect := func(line []byte) {
		mu.Lock()
		defer mu.Unlock()
		if said.Len() < 1<<20 {
			said.Write(append(line, '\n'))
		}
	}
	program := *t.config.program()
	ended, err := t.run(ctx, proc.Command{Path: program, Args: []string{"--help"}, Dir: scope.Path(), Env: environment(scope), Stdout: collect, Stderr: collect})
	if err != nil {
		return nil, err
	}
	found := options{}
	for _, match := range option.FindAllStringSubmatch(said.String(), -1) {
		found[match[1]] = true
	}
	needs := cliNeeds
	if t.config.Server != "" {
		needs = serverNeeds
	}
	missing := slices.DeleteFunc(slices.Clone(needs), func(o string) bool { return found[o] })
	if len(missing) == 0 {
		return found, nil
	}
	if err := t.crashed(ended); err != nil {
		return nil, err
	}
	if len(missing) == len(needs) {
		err = fmt.Errorf("%s is not whisper.cpp's program: with --help it lists none of its options", program)
	} else {
		err = fmt.Errorf("%s does not know %s; use whisper.cpp of May 2024 or later", program, strings.Join(missing, ", "))
	}
	return nil, &asr.EngineError{Engine: engineName, ExitCode: ended.ExitCode, Err: err, Stderr: ended.Tail, Fatal: true}
}
