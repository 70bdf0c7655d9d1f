package whispercpp

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"time"
)

// command is one process to run.
type command struct {
	path string
	args []string
	dir  string
	env  []string
}

// ended says how a process ended.
type ended struct {
	exitCode           int    // -1: by a signal
	signal             string // "" unless by a signal
	illegalInstruction bool
	stderr             string // its last lines
}

// run waits for the process, which is killed when ctx is done. Its error means
// that the process could not be started; how it ended is in the result.
func run(ctx context.Context, c command) (ended, error) {
	cmd := exec.CommandContext(ctx, c.path, c.args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	cmd.WaitDelay = 2 * time.Second
	tail := &tail{limit: 4 << 10}
	cmd.Stderr = tail
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return ended{exitCode: -1}, err
	}
	e := ended{exitCode: cmd.ProcessState.ExitCode(), stderr: tail.String()}
	if _, ok := errors.AsType[*exec.ExitError](err); ok && e.exitCode < 0 {
		e.signal = cmd.ProcessState.String()
		e.illegalInstruction = strings.Contains(e.signal, "illegal instruction")
	}
	return e, nil
}

// tail keeps the end of what is written to it.
type tail struct {
	limit int
	b     []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - t.limit; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.b)) }
