package retry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/sysfs"
)

// ErrLocked is what an [Error] is, by errors.Is, when a lock won: somebody held the file until the budget or the
// context ended.
var ErrLocked = errors.New("the file is held by another program")

// Error is the failure of a file operation. Its text is one line: operation, file, cause, and, where a lock won,
// how often and how long it was tried, who holds the file, and what to do.
//
// It unwraps to Err and to Cause, so errors.Is finds fs.ErrNotExist, context.Canceled and the like.
type Error struct {
	Op       Op
	Err      error // of the last attempt; nil where none was made
	Cause    error // why it ended early: the cause of the context's end; nil otherwise
	Class    Class
	Attempts int
	Waited   time.Duration // from the first failure to the end
	Holders  []Holder      // of the file when it was given up; none means unknown
}

// notTried is the error for a context that had ended before the first attempt.
func notTried(ctx context.Context, op Op) error {
	return &Error{Op: op, Cause: context.Cause(ctx)}
}

// failed is the error for a first attempt that is not to be repeated.
func failed(op Op, err error) error {
	return &Error{Op: op, Err: err, Class: Permanent, Attempts: 1}
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%v: not tried: %v", e.Op, e.Cause)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v: %s", e.Op, describe(e.Op, e.Err))
	if e.Attempts > 1 {
		fmt.Fprintf(&b, "; tried %d times in %s", e.Attempts, round(e.Waited))
	}
	if e.Cause != nil {
		fmt.Fprintf(&b, ", then: %v", e.Cause)
	}
	if e.Class.retriable() {
		b.WriteString("; " + e.whoAndWhat())
	}
	return b.String()
}

// whoAndWhat names the holder and says what to do.
func (e *Error) whoAndWhat() string {
	var names []string
	self := false
	for _, h := range e.Holders {
		names = append(names, h.String())
		self = self || h.Self
	}
	switch {
	case self:
		return "held by " + strings.Join(names, ", ") + "; close that handle first"
	case len(names) > 0:
		return "held by " + strings.Join(names, ", ") + "; close it, or have it leave this folder alone"
	case e.Class == Suspect:
		return "holder unknown; check the permissions, and which program has it open"
	}
	return "holder unknown; have virus scanners, indexers and sync clients leave this folder alone"
}

// Unwrap gives the error of the last attempt and the cause of the end.
func (e *Error) Unwrap() []error {
	var all []error
	if e.Err != nil {
		all = append(all, e.Err)
	}
	if e.Cause != nil {
		all = append(all, e.Cause)
	}
	return all
}

// Is reports ErrLocked.
func (e *Error) Is(target error) bool {
	return target == ErrLocked && e.Class == Transient
}

// describe gives the cause without the operation and the path, where they are those that op says better, and with the
// Windows code where there is one.
func describe(op Op, err error) string {
	cause := err
	for {
		switch e := cause.(type) {
		case *fs.PathError:
			if e.Path == op.Path || e.Path == op.To {
				cause = e.Err
				continue
			}
		case *os.LinkError:
			if e.Old == op.Path && e.New == op.To {
				cause = e.Err
				continue
			}
		case *os.SyscallError:
			cause = e.Err
			continue
		}
		break
	}
	if code := codeOf(cause); code != 0 && hasCode(cause) {
		return fmt.Sprintf("%s (Windows error %d)", strings.TrimRight(cause.Error(), "."), uint32(code))
	}
	return cause.Error()
}

// hasCode reports whether the code of err is its own, and not one that an error of Unix is taken for.
func hasCode(err error) bool {
	if code, ok := err.(Errno); ok {
		return errnoTexts[code] != "" // else the text says the number
	}
	return sysfs.NativeCodes
}

func round(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// LeftoverError says what RemoveAll could not remove. Everything else is gone.
type LeftoverError struct {
	Root  string
	Paths []string // at most 16, each a file or an otherwise empty directory
	More  int      // further ones
	Err   error    // an *Error: why the first one stays
}

func (e *LeftoverError) Error() string {
	root, first := oneLine(e.Root), oneLine(e.Root)
	if len(e.Paths) > 0 {
		first = oneLine(e.Paths[0])
	}
	if n := len(e.Paths) + e.More; n > 1 {
		return fmt.Sprintf("removeall %s: %d entries stay, first %s: %v", root, n, first, e.Err)
	}
	return fmt.Sprintf("removeall %s: %s stays: %v", root, first, e.Err)
}

// Unwrap gives Err.
func (e *LeftoverError) Unwrap() error { return e.Err }
