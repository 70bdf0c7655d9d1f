package host

import (
	"errors"
	"os"
	"strconv"
	"strings"
)

func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// processStart gives field 22 of /proc/PID/stat, in clock ticks since boot
// (proc_pid_stat(5)). A zombie holds no files and counts as dead.
func processStart(pid int) (string, Liveness) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, os.ErrNotExist) {
		return "", Dead
	}
	if err != nil {
		return "", Unknown
	}
	// The command's name is in parentheses and may hold spaces and parentheses.
	s := string(b)
	fields := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	if len(fields) < 20 {
		return "", Unknown
	}
	if fields[0] == "Z" || fields[0] == "X" {
		return "", Dead
	}
	return fields[19], Alive
}
