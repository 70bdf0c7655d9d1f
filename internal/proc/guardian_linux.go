package proc

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// adopt makes every orphan of the tree a child of this process.
func adopt() { unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// killChildren kills all children. Their own become ours then.
func killChildren() {
	for _, pid := range processes() {
		if parent(pid) == os.Getpid() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// killGroup has nothing to do: who has no child here has no descendant.
func killGroup() {}

// parent reads field 4 of /proc/pid/stat; field 2, a name in brackets, may hold
// anything.
func parent(pid int) int {
	stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(string(fields[1]))
	return n
}
