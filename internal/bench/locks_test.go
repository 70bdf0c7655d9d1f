package bench

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// TestLocks lets somebody hold a file for about a known time while each schedule tries to replace it, under Windows'
// rules and with fake time: so the result is the schedule's alone. It prints lines as benchmarks do.
func TestLocks(t *testing.T) {
	const trials = 100
	if os.Getenv("HOLDFAST_BENCH_LOCKS") == "" {
		t.Skip("set HOLDFAST_BENCH_LOCKS=1, or run the report")
	}
	for _, hold := range []time.Duration{50, 300, 1000, 2000, 5000} {
		hold *= time.Millisecond
		for _, s := range schedules() {
			failed, late := 0, time.Duration(0)
			synctest.Test(t, func(t *testing.T) {
				sim := locktest.New(t)
				for range trials {
					held := time.Duration(float64(hold) * (0.8 + 0.4*rand.Float64()))
					took, err := replaceHeld(t, sim, s, held)
					if err != nil {
						failed++
						continue
					}
					late += took - held
				}
			})
			fmt.Printf("BenchmarkLocks/hold=%v/by=%s %d %.1f %%-failed", hold, s.by, trials, 100*float64(failed)/trials)
			if failed < trials {
				fmt.Printf(" %.1f ms-late", float64(late.Milliseconds())/float64(trials-failed))
			}
			fmt.Println()
		}
	}
}

// replaceHeld replaces a file that is held for a while, and gives the time that it took.
func replaceHeld(t *testing.T, sim *locktest.Sim, s schedule, held time.Duration) (time.Duration, error) {
	target, fresh := filepath.Join(sim.Dir(), "manifest.json"), filepath.Join(sim.Dir(), "manifest.tmp")
	for _, name := range []string{target, fresh} {
		if err := os.WriteFile(name, []byte("{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !sim.HoldFor(target, locktest.ShareNone, held) {
		t.Fatal("not held")
	}
	files := sim.FS()
	replace := func() error { return files.Replace(t.Context(), fresh, target) }
	start := time.Now()
	var err error
	if s.waits == nil {
		err = replace()
	} else {
		files.Policy = retry.Policy{Budget: -1} // one try, and no wait of its own
		err = s.try(replace)
	}
	took := time.Since(start)
	<-time.After(held + time.Millisecond) // the next trial begins when the file is free
	return took, err
}
