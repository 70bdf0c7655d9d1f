package proc

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// self is this program, also after its file was replaced.
func self() (string, error) { return "/proc/self/exe", nil }

// attributes make the system kill the child when the thread that starts it ends.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// waitEnd waits until the child has ended, and does not reap it.
func waitEnd(pid int) {
	for errors.Is(unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
	}
}

// killMarked kills every process with the mark in its environment, until there
// is none: this finds what has left the process group (setsid) and what has lost
// its parent. A process that has cleared its environment is not found.
func killMarked(mark string) {
	for begin := time.Now(); time.Since(begin) < 2*time.Second; {
		found := false
		for _, pid := range processes() {
			if !marked(pid, mark) {
				continue
			}
			// FindProcess takes hold of the process (pidfd_open), so that it is
			// the same one that is looked at again and killed.
			if p, err := os.FindProcess(pid); err == nil {
				if marked(pid, mark) {
					found = p.Kill() == nil || found
				}
				p.Release()
			}
		}
		if !found {
			return
		}
	}
}

func processes() []int {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	var list []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			list = append(list, pid)
		}
	}
	return list
}

// marked reports whether a process lives and has mark in its environment, which
// is empty for one that has ended and cannot be read of other users'.
func marked(pid int, mark string) bool {
	environ, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	return bytes.HasPrefix(environ, []byte(mark+"=")) || bytes.Contains(environ, []byte("\x00"+mark+"="))
}

// outlive takes back what attributes has set.
func outlive(a *syscall.SysProcAttr) { a.Pdeathsig = 0 }
