package locktest

import (
	"fmt"
	"path"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/retry"
)

// Fault fails chosen operations.
//
//	locktest.Fault{On: retry.OpReplace, Match: "*.json", Nth: 2, Times: 3, Err: locktest.SharingViolation}
type Fault struct {
	On    retry.Kind    // 0: every kind
	Match string        // a pattern of path.Match for the base name or the whole path, old or new; "": every path
	Nth   int           // the first matching operation to fail, from 1; 0: 1
	Times int           // how many fail from there; 0: 1; negative: all
	For   time.Duration // instead of Times: fail until this time after the first failure
	Err   error         // nil: SharingViolation
	After bool          // the operation is done, and reported as failed
	Short int           // of a read or write, this many bytes are moved before it fails
}

func (f Fault) String() string {
	text := "fail"
	if f.After {
		text = "do, but report as failed,"
	}
	if f.On != 0 {
		text += " " + f.On.String()
	} else {
		text += " any operation"
	}
	if f.Match != "" {
		text += " of " + f.Match
	}
	text += fmt.Sprintf(" from no. %d", max(1, f.Nth))
	switch {
	case f.For > 0:
		text += fmt.Sprintf(" for %v", f.For)
	case f.Times < 0:
		text += " on"
	default:
		text += fmt.Sprintf(", %d times", max(1, f.Times))
	}
	if f.Short > 0 {
		text += fmt.Sprintf(" after %d bytes", f.Short)
	}
	return text + ": " + f.err().Error()
}

func (f Fault) err() error {
	if f.Err == nil {
		return SharingViolation
	}
	return f.Err
}

func (f Fault) matches(op *retry.Op) bool {
	if f.On != 0 && f.On != op.Kind {
		return false
	}
	if f.Match == "" {
		return true
	}
	for _, name := range []string{op.Path, op.To} {
		slashed := filepath.ToSlash(name)
		for _, candidate := range []string{slashed, path.Base(slashed)} {
			if ok, _ := path.Match(f.Match, candidate); ok && name != "" {
				return true
			}
		}
	}
	return false
}

// Inject gives fs with faults. It fails the test where a fault never struck. It composes: Inject(t, sim.FS(), …).
func Inject(t testing.TB, fs retry.FS, faults ...Fault) retry.FS {
	t.Helper()
	for _, f := range faults {
		if _, err := path.Match(f.Match, ""); err != nil {
			t.Fatalf("locktest: fault %v: %v", f, err)
		}
		in := &injector{fault: f}
		fs = in.into(fs)
		t.Cleanup(func() {
			if !in.hit() {
				t.Errorf("the fault never struck: %v (%d operations matched)", f, in.seen)
			}
		})
	}
	return fs
}

// injector is a fault at work.
type injector struct {
	fault Fault
	spare func(retry.Kind) bool // operations that are not failed although they match

	mu     sync.Mutex
	seen   int
	first  time.Time
	struck []retry.Op
}

func (in *injector) into(fs retry.FS) retry.FS {
	inner := fs.Intercept
	fs.Intercept = func(op *retry.Op, next func() error) error {
		do := next
		if inner != nil {
			do = func() error { return inner(op, next) }
		}
		if !in.strikes(op) {
			return do()
		}
		moves := op.Kind == retry.OpWrite || op.Kind == retry.OpRead
		switch {
		case in.fault.Short > 0 && moves:
			op.Bytes = int64(in.fault.Short)
			fallthrough
		case in.fault.After:
			if err := do(); err != nil {
				return err
			}
		}
		return in.fault.err()
	}
	return fs
}

// strikes counts a matching operation and says whether it is to fail.
func (in *injector) strikes(op *retry.Op) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	f := in.fault
	if !f.matches(op) {
		return false
	}
	in.seen++
	n := in.seen - max(1, f.Nth) // from 0
	if n < 0 || (in.spare != nil && in.spare(op.Kind)) {
		return false
	}
	switch {
	case f.For > 0:
		if in.first.IsZero() {
			in.first = time.Now()
		}
		if time.Since(in.first) >= f.For {
			return false
		}
	case f.Times >= 0 && n >= max(1, f.Times):
		return false
	}
	in.struck = append(in.struck, *op)
	return true
}

func (in *injector) hit() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.struck) > 0
}
