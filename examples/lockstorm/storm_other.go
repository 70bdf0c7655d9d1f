//go:build !windows

package main

import (
	"context"
	"sync"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// storm begins and gives the file operations to use in it; end stops it and says how often a file was held. The
// holders are those of the model.
func storm(ctx context.Context, o options) (files retry.FS, end func() (int, error), err error) {
	sim := locktest.Simulate(o.dir)
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	counts := make([]int, o.holders)
	for i := range counts {
		all.Go(func() { counts[i] = sim.Scan(ctx, o.scanner) })
	}
	return sim.FS(), func() (int, error) {
		cancel()
		all.Wait()
		total := 0
		for _, n := range counts {
			total += n
		}
		return total, nil
	}, nil
}
