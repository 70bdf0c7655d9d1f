//go:build !linux

package asrtest

import (
	"context"
	"io/fs"
	"path/filepath"

	"github.com/holdfast-go/holdfast/retry"
)

// held says which files below dir this process or one of the others has open.
// On Windows a deletion shows it too; elsewhere nothing else does.
func held(dir string, others []process) []holding {
	pids := map[int]bool{}
	for _, p := range others {
		pids[p.pid] = true
	}
	var found []holding
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		holders, _ := retry.Holders(context.Background(), path)
		for _, h := range holders {
			if h.Self || pids[h.PID] {
				found = append(found, holding{h.String(), path})
			}
		}
		return nil
	})
	return found
}
