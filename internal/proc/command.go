package proc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Command says what to run. Nothing passes through a shell.
type Command struct {
	Path string   // of the program; a bare name is looked up in PATH
	Args []string // without the program's name
	Env  []string // all of the environment; nil: this process's own
	Dir  string   // working directory; "": this process's own

	// Stdin gives the child a pipe that Process.Stdin writes to. It also ends
	// when this process does, which a child that reads it can take for its own
	// end. Without it the child reads nothing.
	Stdin bool

	// Stdout and Stderr are called for each line, without its end, in order; the
	// bytes are valid during the call only. A line of more than 16 MiB comes in
	// pieces. On stderr a carriage return ends a line too, as progress bars
	// write it. Both pipes are read to their end, also where a function is nil;
	// but a child has to wait while a function does not return.
	Stdout, Stderr func(line []byte)

	// Linger is how long the pipes may stay open and silent after the child's
	// end because something else has inherited them; then they are closed. 0:
	// 500 ms.
	Linger time.Duration

	// Guardian, from main, makes a kill of this process end the whole tree. nil:
	// as far as the system does that by itself.
	Guardian *Guardian
}

// Result is what is known after the end.
type Result struct {
	ExitCode int    // -1: ended by a signal
	Signal   string // its name, "" for none; never on Windows
	Duration time.Duration
	Tail     string // the last lines of stderr: 20 of them, 8 KiB at most
}

// ExitError says that the child ended, and not with exit code 0.
type ExitError struct {
	Name string // of the program
	Result
}

func (e *ExitError) Error() string {
	s := fmt.Sprintf("%s: exit code %d", e.Name, e.ExitCode)
	if e.Signal != "" {
		s = fmt.Sprintf("%s: ended by signal: %s", e.Name, e.Signal)
	}
	if last := lastLine(e.Tail); last != "" {
		s += ": " + last
	}
	return s
}

// Run starts a command and waits for its end, see Start and Wait.
func Run(ctx context.Context, c Command) (Result, error) {
	p, err := Start(ctx, c)
	if err != nil {
		return Result{}, err
	}
	return p.Wait()
}

// Process is a running child.
type Process struct {
	name   string
	pid    int
	stdin  *os.File
	tree   *tree
	done   chan struct{} // closed at the very end
	result Result
	err    error
}

// Start starts a command. When ctx ends, the tree is killed. The caller must
// call Wait, also then.
func Start(ctx context.Context, c Command) (*Process, error) {
	name := filepath.Base(c.Path)
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if c.Linger == 0 {
		c.Linger = 500 * time.Millisecond
	}
	p := &Process{name: name, done: make(chan struct{})}
	started := make(chan error)
	go p.supervise(ctx, c, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// Pid is the number by which the system knows the child. With a Guardian it is
// the guardian's.
func (p *Process) Pid() int { return p.pid }

// Stdin is the pipe to the child, nil unless the command asked for it. Writing
// into it fails once the child has ended; it is closed by then.
func (p *Process) Stdin() *os.File { return p.stdin }

// Done is closed when Wait would return at once.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the tree at once. It does not wait.
func (p *Process) Kill() { p.tree.kill() }

// Wait waits for the end of the child, of everything that it has started, and of
// the calls to the functions of the command. The error is an *ExitError where
// the exit code is not 0, and the context's cause where it was the reason. The
// Result is filled in any case.
func (p *Process) Wait() (Result, error) {
	<-p.done
	return p.result, p.err
}

// outcome is what the system says of an ended child.
type outcome struct {
	code   int
	signal string
}

func (p *Process) finish(ctx context.Context, begin time.Time, end outcome, err error, tail string) {
	p.result = Result{ExitCode: end.code, Signal: end.signal, Duration: time.Since(begin), Tail: tail}
	switch cause := context.Cause(ctx); {
	case err == nil && end == (outcome{}):
	case cause != nil:
		p.err = fmt.Errorf("%s: %w", p.name, cause)
	case err != nil:
		p.err = fmt.Errorf("wait for %s: %w", p.name, err)
	default:
		p.err = &ExitError{Name: p.name, Result: p.result}
	}
	close(p.done)
}

// find makes an absolute path of the program, for the child may have another
// working directory.
func find(path string) (string, error) {
	found, err := exec.LookPath(path)
	if err != nil && !errors.Is(err, exec.ErrDot) {
		var e *exec.Error
		if errors.As(err, &e) {
			err = e.Err // the name is said already
		}
		if errors.Is(err, exec.ErrNotFound) && filepath.Base(path) != path {
			err = fs.ErrNotExist // Windows speaks of the PATH also where none was searched
		}
		return "", err
	}
	return filepath.Abs(found)
}
