package main

import (
	"fmt"
	"sync"
)

// space keeps uploads from filling the disk. What is promised to uploads on
// their way counts as used.
type space struct {
	dirs []string // each may lie on a volume of its own
	keep int64    // bytes that stay free
	free func(dir string) (bytes int64, err error)

	mu       sync.Mutex
	promised int64
}

type noSpaceError struct{ need, free int64 }

func (e *noSpaceError) Error() string {
	return fmt.Sprintf("there is not enough space on the server's disk: %s are free and %s are needed", bytesText(e.free), bytesText(e.need))
}

// reserve promises n bytes in each of the folders, or says *noSpaceError.
func (s *space) reserve(n int64) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, dir := range s.dirs {
		free, err := s.free(dir)
		if err != nil {
			return nil, err
		}
		if need := n + s.promised + s.keep; free < need {
			return nil, &noSpaceError{need: need, free: free}
		}
	}
	s.promised += n
	var once sync.Once
	return func() {
		once.Do(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.promised -= n
		})
	}, nil
}

func bytesText(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
