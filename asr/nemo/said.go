package nemo

import (
	"strings"
	"sync"
)

// said keeps the last lines of the process's messages, for the errors of
// utterances, while it lives.
type said struct {
	mu    sync.Mutex
	lines []string
}

const (
	saidLines  = 20
	saidLength = 400 // bytes of a line
)

func (s *said) add(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(line) > saidLength {
		line = line[:saidLength]
	}
	s.lines = append(s.lines, strings.ToValidUTF8(line, "?"))
	if len(s.lines) > saidLines {
		s.lines = s.lines[1:]
	}
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}
