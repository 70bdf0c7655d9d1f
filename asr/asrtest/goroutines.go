package asrtest

import (
	"runtime"
	"slices"
	"strings"
)

// goroutines gives the stacks of all goroutines by their name, "goroutine 17",
// but for this one and those that live as long as the program.
func goroutines() map[string]string {
	buffer := make([]byte, 1<<16)
	for {
		n := runtime.Stack(buffer, true)
		if n < len(buffer) {
			buffer = buffer[:n]
			break
		}
		buffer = make([]byte, 2*len(buffer))
	}
	all := map[string]string{}
	for i, stack := range strings.Split(string(buffer), "\n\n") {
		name, _, _ := strings.Cut(stack, " [")
		if i > 0 && !strings.Contains(stack, "os/signal.") && !strings.Contains(stack, "created by testing.") {
			all[name] = strings.TrimSpace(stack)
		}
	}
	return all
}

// goroutine is the name of this one.
func goroutine() string {
	var buffer [64]byte
	name, _, _ := strings.Cut(string(buffer[:runtime.Stack(buffer[:], false)]), " [")
	return name
}

// leaked lists the stacks of those that were not there before.
func leaked(before map[string]string) []string {
	var stacks []string
	for name, stack := range goroutines() {
		if _, ok := before[name]; !ok {
			stacks = append(stacks, stack)
		}
	}
	slices.Sort(stacks)
	return stacks
}

// hanging gives the stacks of the calls of Transcribe that go on.
func hanging() string {
	var stacks []string
	for _, stack := range goroutines() {
		if strings.Contains(stack, ".Transcribe") {
			stacks = append(stacks, stack)
		}
	}
	return strings.Join(stacks, "\n\n")
}
