package bench

import (
	"iter"
	"math/rand/v2"
	"time"
)

// schedule is when a program tries again what a lock has refused: the waits between one try and the next. When they
// end it gives up. Schedules alone are compared: each retries every refusal here, though most of these programs
// retry fewer codes.
type schedule struct {
	by    string
	waits func() iter.Seq[time.Duration] // nil: package retry as it comes
}

func schedules() []schedule {
	return []schedule{
		{"holdfast", nil},
		{"once", waits()},
		{"git", waits(0, 1, 10, 20, 40)},                  // git/git compat/mingw.c: delay[]
		{"chromium", waits(100, 100, 100, 100, 100)},      // base/files/important_file_writer.cc
		{"sqlite", growing(10, linear(25))},               // src/os_win.c: winIoerrRetry, winIoerrRetryDelay
		{"robustio", robustio},                            // cmd/internal/robustio/robustio_flaky.go
		{"uv", growing(10, doubling(10))},                 // crates/uv-fs/src/lib.rs: 10 ms doubling, 10 retries
		{"graceful-fs", gracefully},                       // polyfills.js: rename
		{"msbuild", growing(10, constant(1000))},          // src/Tasks/Copy.cs: 10 retries, 1000 ms
		{"retry-go", growing(9, jittered(doubling(100)))}, // avast/retry-go/v4 as it comes: 10 attempts
	}
}

func waits(ms ...int) func() iter.Seq[time.Duration] {
	return growing(len(ms), func(n int) time.Duration { return time.Duration(ms[n]) * time.Millisecond })
}

func growing(n int, wait func(n int) time.Duration) func() iter.Seq[time.Duration] {
	return func() iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) {
			for i := range n {
				if !yield(wait(i)) {
					return
				}
			}
		}
	}
}

func linear(ms int) func(int) time.Duration {
	return func(n int) time.Duration { return time.Duration(ms*(n+1)) * time.Millisecond }
}

func doubling(ms int) func(int) time.Duration {
	return func(n int) time.Duration { return time.Duration(ms<<n) * time.Millisecond }
}

func constant(ms int) func(int) time.Duration {
	return func(int) time.Duration { return time.Duration(ms) * time.Millisecond }
}

func jittered(wait func(int) time.Duration) func(int) time.Duration {
	return func(n int) time.Duration { return wait(n) + rand.N(100*time.Millisecond) }
}

// robustio stops where the next wait would pass two seconds.
func robustio() iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		next, waited := time.Millisecond, time.Duration(0)
		for waited+next < 2*time.Second && yield(next) {
			waited += next
			next += rand.N(next)
		}
	}
}

// gracefully waits 0, 10, 20 … 100, 100 … ms for a minute.
func gracefully() iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		next, waited := time.Duration(0), time.Duration(0)
		for waited < time.Minute && yield(next) {
			waited += next
			next = min(next+10*time.Millisecond, 100*time.Millisecond)
		}
	}
}

// try does f as often as the schedule says.
func (s schedule) try(f func() error) error {
	err := f()
	if err == nil {
		return nil
	}
	for d := range s.waits() {
		<-time.After(d)
		if err = f(); err == nil {
			return nil
		}
	}
	return err
}
