package proc

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// supervise starts a child and lives as long as it does. Linux ties
// PR_SET_PDEATHSIG to the thread that started the child and not to the process
// (prctl(2)), so this goroutine keeps its thread.
func (p *Process) supervise(ctx context.Context, c Command, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	begin := time.Now()
	pipes, err := p.start(c)
	if err != nil {
		started <- err
		return
	}
	// Nothing is lost by reading late: the pipes keep what is written before.
	last := &tail{}
	stdout := &reader{file: pipes.stdout, linger: c.Linger, lines: lines{each: c.Stdout}}
	stderr := &reader{file: pipes.stderr, linger: c.Linger, lines: lines{returns: true, each: func(line []byte) {
		last.add(line)
		if c.Stderr != nil {
			c.Stderr(line)
		}
	}}}
	var reading sync.WaitGroup
	for _, r := range []*reader{stdout, stderr} {
		reading.Go(r.run)
	}
	stop := context.AfterFunc(ctx, p.tree.kill)
	started <- nil

	end, err := p.tree.wait()
	for _, r := range []*reader{stdout, stderr} {
		r.end()
	}
	reading.Wait()
	if stdout.held || stderr.held {
		p.tree.sweep()
	}
	stdout.file.Close()
	stderr.file.Close()
	if p.stdin != nil {
		p.stdin.Close()
	}
	stop()
	p.tree.close()
	p.finish(ctx, begin, end, err, last.String())
}

// pipes are our ends.
type pipes struct{ stdout, stderr *os.File }

// start starts the child with its pipes.
func (p *Process) start(c Command) (ours pipes, err error) {
	path, err := find(c.Path)
	if err != nil {
		return ours, err
	}
	cmd := exec.Command(path, c.Args...)
	cmd.Dir = c.Dir
	cmd.Env = slices.Clip(c.Env) // it is the caller's
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	var theirs, opened []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
		if err != nil {
			for _, f := range opened {
				f.Close()
			}
		}
	}()
	pipe := func() (r, w *os.File) {
		if err == nil {
			r, w, err = os.Pipe()
		}
		return r, w
	}
	var outW, errW *os.File
	ours.stdout, outW = pipe()
	ours.stderr, errW = pipe()
	opened, theirs = append(opened, ours.stdout, ours.stderr), append(theirs, outW, errW)
	cmd.Stdout, cmd.Stderr = outW, errW
	if c.Stdin {
		var inR *os.File
		inR, p.stdin = pipe()
		opened, theirs = append(opened, p.stdin), append(theirs, inR)
		cmd.Stdin = inR
	}
	if err != nil {
		return ours, err
	}
	p.tree, err = startTree(cmd, c.Guardian)
	if err == nil {
		p.pid = cmd.Process.Pid
	}
	return ours, err
}

// reader drains one pipe.
type reader struct {
	file   *os.File
	linger time.Duration
	lines  lines
	ended  atomic.Bool // the child
	held   bool        // something else has the other end of the pipe open
}

// A pipe holds less than this (pipe(7)): what comes after it was not written by
// a child that has ended before.
const maxPipe = 1 << 20

func (r *reader) run() {
	defer r.lines.close()
	buffer := make([]byte, 64<<10)
	late, quiet := 0, 0
	for {
		if r.ended.Load() {
			r.arm()
		}
		n, err := r.file.Read(buffer)
		r.lines.write(buffer[:n])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			// The first time the deadline may be an old one, which passed during a
			// call to the function; then the pipe was not even looked at.
			if quiet++; quiet == 2 {
				r.held = true
				return
			}
		case err != nil:
			return
		case r.ended.Load():
			quiet = 0
			if late += n; late > maxPipe {
				r.held = true
				return
			}
		}
	}
}

// end says that the child has ended. What it has written is still read.
func (r *reader) end() {
	r.ended.Store(true)
	r.arm()
}

// arm limits how long an empty pipe is waited for. Windows has no deadlines here
// and needs none: with the job, everything that could hold the pipe has ended.
func (r *reader) arm() { r.file.SetReadDeadline(time.Now().Add(r.linger / 2)) }
