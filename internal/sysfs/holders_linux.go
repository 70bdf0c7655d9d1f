package sysfs

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Holders lists the processes that have one of the paths open. Processes that this one may not look into are
// missing, so an empty list proves nothing.
func Holders(ctx context.Context, paths []string) ([]Holder, error) {
	type node struct{ dev, ino uint64 }
	nodes := make(map[node]bool)
	var missing error
	for _, p := range paths {
		var st syscall.Stat_t
		if err := syscall.Stat(p, &st); err != nil {
			missing = &os.PathError{Op: "stat", Path: p, Err: err}
			continue
		}
		nodes[node{uint64(st.Dev), st.Ino}] = true
	}
	if len(nodes) == 0 {
		return nil, missing
	}

	procs, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []Holder
	for _, proc := range procs {
		pid, err := strconv.Atoi(proc.Name())
		if err != nil {
			continue
		}
		if ctx.Err() != nil {
			return found, ctx.Err()
		}
		fds, _ := filepath.Glob("/proc/" + proc.Name() + "/fd/*")
		for _, fd := range fds {
			var st syscall.Stat_t
			if syscall.Stat(fd, &st) == nil && nodes[node{uint64(st.Dev), st.Ino}] {
				found = append(found, Holder{PID: pid, Name: processName(pid), Started: processStart(pid), Self: pid == os.Getpid()})
				break
			}
		}
	}
	return found, nil
}

func processName(pid int) string {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	return strings.TrimSpace(string(b))
}

// processStart takes the time of the process's directory in /proc, which the kernel sets when the process is
// first looked at. It is near enough to tell a person which process is meant.
func processStart(pid int) time.Time {
	info, err := os.Stat("/proc/" + strconv.Itoa(pid))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
