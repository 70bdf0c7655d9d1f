package asrtest

import (
	"fmt"
	"os"
)

// mark is a variable of the environment by which processes are found that have
// lost their parent.
const mark = "HOLDFAST_ASRTEST"

// process is one that this program has started, or one of those that they have
// started.
type process struct {
	pid, parent int
	name        string
	marked      bool // it has the mark in its environment
	ended       bool // but nobody has waited for it (a zombie)
}

func (p process) String() string { return fmt.Sprintf("%s (pid %d)", p.name, p.pid) }

func (p process) kill() bool {
	process, err := os.FindProcess(p.pid)
	if err != nil {
		return false
	}
	defer process.Release()
	return process.Kill() == nil
}

// offspring lists the living processes that descend from this one.
func offspring() []process {
	all := map[int]process{}
	for _, p := range processes() {
		all[p.pid] = p
	}
	var found []process
	for _, p := range all {
		if p.pid != os.Getpid() && (p.marked || descends(p, all)) {
			found = append(found, p)
		}
	}
	return found
}

func descends(p process, all map[int]process) bool {
	for range len(all) { // numbers are used again, which can make a circle
		if p.parent == os.Getpid() {
			return true
		}
		up, ok := all[p.parent]
		if !ok {
			return false
		}
		p = up
	}
	return false
}

// holding is a file that is open where it should not be.
type holding struct {
	holder string
	path   string
}

func (h holding) String() string { return h.holder + " has " + h.path + " open" }
