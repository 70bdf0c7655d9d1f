package asrtest

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// processes lists all processes by /proc.
func processes() []process {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	var list []process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it has ended
		}
		// pid (name) state parent ..., where the name may have spaces and brackets.
		begin, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
		fields := strings.Fields(string(stat[end+1:]))
		if begin < 0 || end < begin || len(fields) < 2 {
			continue
		}
		parent, _ := strconv.Atoi(fields[1])
		environ, _ := os.ReadFile("/proc/" + name + "/environ")
		list = append(list, process{
			pid: pid, parent: parent, name: string(stat[begin+1 : end]), ended: fields[0] == "Z",
			marked: bytes.Contains(environ, fmt.Appendf(nil, "%s=%s\x00", mark, os.Getenv(mark))),
		})
	}
	return list
}

// held says which of the files this process or one of the others has open.
func held(paths []string, others []process) []holding {
	return openFiles(others, func(path string) bool { return slices.Contains(paths, path) })
}

// heldBelow says which files below dir this process has open, deleted ones too:
// on Windows they could not have been deleted.
func heldBelow(dir string) []holding {
	return openFiles(nil, func(path string) bool { return strings.HasPrefix(path, dir+"/") })
}

func openFiles(others []process, match func(path string) bool) []holding {
	var found []holding
	for _, p := range append(others, process{pid: os.Getpid(), name: "this process itself"}) {
		fds := fmt.Sprintf("/proc/%d/fd", p.pid)
		entries, err := os.ReadDir(fds)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			path, err := os.Readlink(fds + "/" + entry.Name())
			if err == nil && match(path) {
				found = append(found, holding{p.String(), path})
			}
		}
	}
	return found
}
