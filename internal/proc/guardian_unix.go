//go:build unix

package proc

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// guardianName is argument 0 of a guardian.
const guardianName = "holdfast-guardian"

// Files that a guardian is started with.
const (
	lifeFile   = 3 // ends when the owner of the tree does
	statusFile = 4 // 'S' when the child has started, then its wait status; or 'E' and why not
)

// link is our side of a guardian.
type link struct{ life, status *os.File }

// start starts a guardian that starts cmd.
func (g *Guardian) start(cmd *exec.Cmd) (*link, error) {
	lifeR, life, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer lifeR.Close()
	status, statusW, err := os.Pipe()
	if err != nil {
		life.Close()
		return nil, err
	}
	defer statusW.Close()
	cmd.Args = append([]string{guardianName, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = g.exe
	cmd.ExtraFiles = []*os.File{lifeR, statusW}
	outlive(cmd.SysProcAttr) // the guardian must outlive us
	l := &link{life, status}
	if err := cmd.Start(); err != nil {
		l.close()
		return nil, err
	}
	statusW.Close()
	first := make([]byte, 1)
	if _, err := io.ReadFull(status, first); err != nil || first[0] != 'S' {
		why, _ := io.ReadAll(status)
		cmd.Wait()
		l.close()
		if len(why) == 0 {
			why = []byte("the guardian has ended at once")
		}
		return nil, errors.New(string(why))
	}
	return l, nil
}

func (l *link) close() {
	l.life.Close()
	l.status.Close()
}

// outcome is the child's, or the guardian's own if it could not say.
func (l *link) outcome(own outcome) outcome {
	defer l.status.Close()
	var b [4]byte
	if _, err := io.ReadFull(l.status, b[:]); err != nil {
		return own
	}
	return outcomeOf(syscall.WaitStatus(binary.LittleEndian.Uint32(b[:])))
}

func guardianMain() *Guardian {
	if len(os.Args) > 1 && os.Args[0] == guardianName {
		guard(os.Args[1], os.Args[2:])
	}
	exe, err := self()
	if err != nil {
		return nil
	}
	return &Guardian{exe}
}

// guard runs one child and exits.
func guard(path string, args []string) {
	runtime.LockOSThread() // the child's death signal belongs to this thread
	syscall.CloseOnExec(lifeFile)
	syscall.CloseOnExec(statusFile)
	life, status := os.NewFile(lifeFile, "life"), os.NewFile(statusFile, "status")
	adopt()

	cmd := exec.Command(path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = attributes()
	if err := cmd.Start(); err != nil {
		io.WriteString(status, "E"+err.Error())
		os.Exit(1)
	}
	io.WriteString(status, "S")
	for _, f := range []*os.File{os.Stdin, os.Stdout, os.Stderr} {
		f.Close() // they are the child's alone
	}
	ending := make(chan struct{}) // of the owner, or of the child
	var once sync.Once
	end := func() { once.Do(func() { close(ending) }) }
	go func() {
		io.Copy(io.Discard, life)
		end()
	}()
	go func() {
		<-ending
		for { // what is adopted in the meantime is met the next time
			killChildren()
			time.Sleep(time.Millisecond)
		}
	}()

	for {
		var how syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &how, 0, nil)
		if pid == cmd.Process.Pid {
			status.Write(binary.LittleEndian.AppendUint32(nil, uint32(how)))
			end()
		}
		if err == syscall.ECHILD {
			killGroup()
			os.Exit(0)
		}
	}
}
