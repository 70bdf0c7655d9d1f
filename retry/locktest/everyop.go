package locktest

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/holdfast-go/holdfast/retry"
)

// EveryOp runs body once without a fault, and then again and again, each time failing the next of its operations:
// once, from then on (removals are spared, so that it can clean up, as on a full disk), done but reported as failed,
// and for writes, after half of the bytes. Of f it uses On, Match and Err; Err is best a permanent error, such as
// [DiskFull], and once more a transient one.
//
// body works on fs in the fresh directory dir, checks by itself what has to hold (the file is the old or the new
// one, nothing is left over) and returns the error that it met. It runs in a bubble of testing/synctest and so must
// not start processes. What it does must not depend on chance, file names excepted.
//
// EveryOp fails the test where a permanent error was swallowed, that is, body returned nil; where a file stayed open;
// and where an operation that succeeded in the clean run did not come. It logs how many operations and runs it
// tried.
func EveryOp(t *testing.T, f Fault, body func(t *testing.T, fs retry.FS, dir string) error) {
	t.Helper()
	if !t.Run("clean", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			if err := track(t, retry.FS{}, body); err != nil {
				t.Fatalf("without a fault: %v", err)
			}
		})
	}) {
		return
	}
	ops := matching(t, f, body)
	runs := 0
	for n, op := range ops {
		for _, m := range modesFor(op) {
			fault := f
			fault.Nth, fault.Times, fault.After, fault.Short = n+1, m.times, m.after, 0
			if m.short {
				fault.Short = int(op.Bytes+1) / 2
			}
			runs++
			name := fmt.Sprintf("n=%02d %s %s %s", n+1, m.name, op.Kind, filepath.Base(op.Path))
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { everyRun(t, fault, m, body) })
			})
		}
	}
	t.Logf("EveryOp: %d operations, each failed in turn: %d runs", len(ops), runs)
	if len(ops) == 0 {
		t.Errorf("no operation matches: %v", f)
	}
}

type mode struct {
	name  string
	times int
	after bool
	short bool
}

func modesFor(op retry.Op) []mode {
	modes := []mode{{name: "once"}, {name: "from then on", times: -1}, {name: "after", after: true}}
	if op.Kind == retry.OpWrite && (op.Bytes < 0 || op.Bytes > 1) {
		modes = append(modes, mode{name: "short", short: true})
	}
	return modes
}

// matching runs body once more to list the operations that the fault can strike.
func matching(t *testing.T, f Fault, body func(*testing.T, retry.FS, string) error) (ops []retry.Op) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		fs := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
			mu.Lock()
			if f.matches(op) {
				ops = append(ops, *op)
			}
			mu.Unlock()
			return next()
		}}
		_ = body(t, fs, TempDir(t))
	})
	return ops
}

func everyRun(t *testing.T, f Fault, m mode, body func(*testing.T, retry.FS, string) error) {
	in := &injector{fault: f}
	if m.times < 0 && f.On == 0 {
		in.spare = func(k retry.Kind) bool {
			return k == retry.OpRemove || k == retry.OpClose || k == retry.OpUnlock
		}
	}
	err := track(t, in.into(retry.FS{}), body)
	if !in.hit() {
		if in.spare == nil {
			t.Errorf("%v: the operation did not come this time", f)
		}
		return
	}
	if op, ok := swallowed(in.struck, f); ok && err == nil {
		t.Errorf("swallowed fault: %v failed with %q, and body returned nil", op, f.err())
	}
	if err != nil && !m.after && permanent(in.struck[0], f.err()) && !errors.Is(err, f.err()) {
		t.Errorf("the error hides its cause %q: %v", f.err(), err)
	}
}

// swallowed finds an operation whose failure body should not have got over: one that was not done and does not pass
// by itself. A sync counts also where it was done, since nobody can know that.
func swallowed(struck []retry.Op, f Fault) (retry.Op, bool) {
	for _, op := range struck {
		sync := op.Kind == retry.OpSync || op.Kind == retry.OpSyncDir
		if op.Kind != retry.OpProbe && permanent(op, f.err()) && (sync || !f.After) {
			return op, true
		}
	}
	return retry.Op{}, false
}

func permanent(op retry.Op, err error) bool { return retry.Classify(op, err) <= retry.Permanent }

// track runs body and fails the test where a file that it opened stays open.
func track(t *testing.T, fs retry.FS, body func(*testing.T, retry.FS, string) error) error {
	var mu sync.Mutex
	open := make(map[*retry.File]string)
	locks := make(map[string]int)
	inner := fs.Intercept
	fs.Intercept = func(op *retry.Op, next func() error) error {
		err := error(nil)
		if inner != nil {
			err = inner(op, next)
		} else {
			err = next()
		}
		mu.Lock()
		defer mu.Unlock()
		switch {
		case op.Kind == retry.OpClose:
			delete(open, op.File)
		case op.Kind == retry.OpUnlock:
			locks[op.Path]--
		case err != nil:
		case op.Kind == retry.OpOpen, op.Kind == retry.OpCreate, op.Kind == retry.OpAppend:
			open[op.File] = op.Path
		case op.Kind == retry.OpLock:
			locks[op.Path]++
		}
		return err
	}
	err := body(t, fs, TempDir(t))
	mu.Lock()
	defer mu.Unlock()
	for _, name := range open {
		t.Errorf("leaked handle: %s was opened and not closed", name)
	}
	for name, n := range locks {
		if n > 0 {
			t.Errorf("leaked lock: %s", name)
		}
	}
	return err
}
