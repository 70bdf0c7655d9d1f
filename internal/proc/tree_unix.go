//go:build unix

package proc

import (
	"crypto/rand"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tree is a child, its process group, and what bears its mark.
type tree struct {
	cmd   *exec.Cmd
	mark  string
	guard *link // nil: no guardian

	ended  chan struct{} // closed when the child has ended
	mu     sync.Mutex
	reaped bool // the system may give the number of the group to others
}

// mark is the name of an environment variable that no other tree has.
func mark() string { return "HOLDFAST_TREE_" + rand.Text() }

// startTree starts cmd at the head of a new process group.
func startTree(cmd *exec.Cmd, g *Guardian) (*tree, error) {
	t := &tree{cmd: cmd, mark: mark(), ended: make(chan struct{})}
	cmd.Env = append(cmd.Env, t.mark+"=1")
	cmd.SysProcAttr = attributes()
	cmd.SysProcAttr.Setpgid = true
	if g == nil {
		return t, cmd.Start()
	}
	var err error
	t.guard, err = g.start(cmd)
	return t, err
}

// kill ends the tree at once.
func (t *tree) kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reaped {
		return
	}
	if t.guard != nil {
		// The guardian is thorough, but it may be stopped or gone itself.
		t.guard.life.Close()
		select {
		case <-t.ended:
		case <-time.After(time.Second):
		}
	}
	unix.Kill(-t.cmd.Process.Pid, unix.SIGKILL)
	killMarked(t.mark)
}

// wait waits for the child and ends what it has left in its group.
func (t *tree) wait() (outcome, error) {
	waitEnd(t.cmd.Process.Pid)
	close(t.ended)
	t.mu.Lock()
	// Before the child is reaped, for its number, the group's, is its own until then.
	unix.Kill(-t.cmd.Process.Pid, unix.SIGKILL)
	err := t.cmd.Wait()
	t.reaped = true
	t.mu.Unlock()

	if t.cmd.ProcessState == nil {
		return outcome{code: -1}, err
	}
	end := outcomeOf(t.cmd.ProcessState.Sys().(syscall.WaitStatus))
	if t.guard != nil {
		end = t.guard.outcome(end)
	}
	if end != (outcome{}) {
		killMarked(t.mark)
	}
	return end, nil
}

// sweep ends what has left the group and still holds a pipe.
func (t *tree) sweep() { killMarked(t.mark) }

func (t *tree) close() {
	if t.guard != nil {
		t.guard.life.Close()
	}
	t.mu.Lock() // a kill that is under way ends first
	defer t.mu.Unlock()
}

func outcomeOf(status syscall.WaitStatus) outcome {
	if status.Signaled() {
		return outcome{code: -1, signal: status.Signal().String()}
	}
	return outcome{code: status.ExitStatus()}
}
