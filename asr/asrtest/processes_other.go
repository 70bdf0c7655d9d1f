//go:build !linux && !windows

package asrtest

import (
	"os/exec"
	"strconv"
	"strings"
)

// processes lists all processes by ps, itself excepted.
func processes() []process {
	ps := exec.Command("ps", "-axo", "pid=,ppid=,comm=")
	out, err := ps.Output()
	if err != nil {
		return nil
	}
	var list []process
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		pid, _ := strconv.Atoi(fields[0])
		parent, _ := strconv.Atoi(fields[1])
		if pid != ps.Process.Pid {
			list = append(list, process{pid: pid, parent: parent, name: strings.Join(fields[2:], " ")})
		}
	}
	return list
}
