package retry_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

const (
	accessDenied     = retry.Errno(5)
	sharingViolation = retry.Errno(32)
)

var renameOp = retry.Op{Kind: retry.OpRename, Path: "a", To: "b"}

// heldFor fails until d has passed since its first call.
func heldFor(d time.Duration, code retry.Errno) func() error {
	var start time.Time
	return func() error {
		if start.IsZero() {
			start = time.Now()
		}
		if time.Since(start) < d {
			return code
		}
		return nil
	}
}

func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var delays []time.Duration
		p := retry.Policy{Observe: func(e retry.Event) {
			if !e.Done {
				delays = append(delays, e.Delay)
			}
		}}
		var tries []time.Duration
		start := time.Now()
		err := p.Do(t.Context(), renameOp, func() error {
			tries = append(tries, time.Since(start))
			return sharingViolation
		})
		require.ErrorIs(t, err, retry.ErrLocked)
		require.Equal(t, 10*time.Second, time.Since(start), "the wait ends at the deadline")
		require.Equal(t, 10*time.Second, tries[len(tries)-1], "the last try is at it")
		require.Equal(t, len(tries)-1, len(delays))

		want := []time.Duration{0, 1, 2, 4, 8, 16, 32, 64}
		for i, d := range delays[:len(delays)-1] {
			nominal := 100 * time.Millisecond
			if i < len(want) {
				nominal = want[i] * time.Millisecond
			}
			require.InDelta(t, nominal, d, float64(nominal)/4+1, "delay %d", i)
		}
	})
}

func TestMaxDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var longest time.Duration
		p := retry.Policy{MaxDelay: 20 * time.Millisecond, Observe: func(e retry.Event) { longest = max(longest, e.Delay) }}
		require.Error(t, p.Do(t.Context(), renameOp, func() error { return sharingViolation }))
		require.InDelta(t, 20*time.Millisecond, longest, float64(5*time.Millisecond))
	})
}

func TestClassicSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries []time.Duration
		start := time.Now()
		err := retry.Classic().Do(t.Context(), renameOp, func() error {
			tries = append(tries, time.Since(start))
			return sharingViolation
		})
		require.ErrorIs(t, err, retry.ErrLocked)
		require.Equal(t, []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second, 5 * time.Second}, tries)
	})
}

func TestBudgets(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy retry.Policy
		code   retry.Errno
		want   time.Duration
	}{
		{"held", retry.Policy{}, sharingViolation, 10 * time.Second},
		{"suspect", retry.Policy{}, accessDenied, 2 * time.Second},
		{"own budget", retry.Policy{Budget: time.Second}, sharingViolation, time.Second},
		{"budget below suspect", retry.Policy{Budget: time.Second}, accessDenied, time.Second},
		{"own suspect", retry.Policy{Suspect: 3 * time.Second}, accessDenied, 3 * time.Second},
		{"one try", retry.Policy{Budget: -1}, sharingViolation, 0},
		{"own delays", retry.Policy{Delays: []time.Duration{time.Second, time.Second}, Budget: 1500 * time.Millisecond}, sharingViolation, 1500 * time.Millisecond},
		{"own delays, suspect", retry.Policy{Delays: []time.Duration{20 * time.Second}}, accessDenied, 20 * time.Second},
		{"permanent", retry.Policy{}, 2, 0},
		{"not in the table", retry.Policy{Classify: func(retry.Op, error) retry.Class { return retry.Transient }}, 9999, 10 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				err := tt.policy.Do(t.Context(), renameOp, func() error { return tt.code })
				require.ErrorIs(t, err, tt.code)
				require.Equal(t, tt.want, time.Since(start))
				require.Equal(t, tt.want > 0 && tt.code != accessDenied, errors.Is(err, retry.ErrLocked) && tt.want > 0)
			})
		})
	}
}

// Whatever the hold, success comes at most one capped delay after the release, and 60 ms after it on average.
func TestDelayAfterRelease(t *testing.T) {
	for _, limit := range []time.Duration{300 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 9999 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			const runs = 300
			var sum, worst time.Duration
			for i := range runs {
				hold := limit * time.Duration(i+1) / runs
				start := time.Now()
				require.NoError(t, retry.Policy{}.Do(t.Context(), renameOp, heldFor(hold, sharingViolation)))
				late := time.Since(start) - hold
				sum += late
				worst = max(worst, late)
			}
			mean := sum / runs
			t.Logf("holds up to %v: success %v after the release on average, %v at worst", limit, mean, worst)
			require.LessOrEqual(t, mean, 60*time.Millisecond)
			require.LessOrEqual(t, worst, 125*time.Millisecond)
		})
	}
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("the user went home")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { cancel(cause) })
		start := time.Now()
		tries := 0
		err := retry.Policy{}.Do(ctx, renameOp, func() error { tries++; return sharingViolation })
		require.Equal(t, 3*time.Second, time.Since(start))
		require.ErrorIs(t, err, cause)
		require.ErrorIs(t, err, sharingViolation)
		require.ErrorIs(t, err, retry.ErrLocked)

		before := tries
		err = retry.Policy{}.Do(ctx, renameOp, func() error { tries++; return nil })
		require.ErrorIs(t, err, cause)
		require.Equal(t, before, tries, "a cancelled context tries nothing")
	})
}

// A timer that fires together with the cancellation must not start another try.
func TestCancelAtTheMomentOfATry(t *testing.T) {
	for range 500 {
		ctx, cancel := context.WithCancel(t.Context())
		tries := 0
		p := retry.Policy{
			Delays:  []time.Duration{0, 0},
			Observe: func(retry.Event) { cancel() }, // before a wait of no length: both are ready in the select
		}
		err := p.Do(ctx, renameOp, func() error { tries++; return sharingViolation })
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 1, tries)
	}
}

func TestObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []retry.Event
		p := retry.Policy{Observe: func(e retry.Event) { events = append(events, e) }}
		require.NoError(t, p.Do(t.Context(), renameOp, func() error { return nil }))
		require.Empty(t, events, "nothing to tell of a first try")

		require.NoError(t, p.Do(t.Context(), renameOp, heldFor(5*time.Millisecond, sharingViolation)))
		last := events[len(events)-1]
		require.True(t, last.Done)
		require.NoError(t, last.Err)
		require.GreaterOrEqual(t, last.Waited, 5*time.Millisecond)
		require.Equal(t, len(events), last.Op.Attempt)

		events = nil
		err := p.Do(t.Context(), renameOp, func() error { return sharingViolation })
		last = events[len(events)-1]
		require.True(t, last.Done)
		require.Equal(t, err, last.Err)
	})
}

func TestClassify(t *testing.T) {
	for _, tt := range []struct {
		kind retry.Kind
		code retry.Errno
		want retry.Class
	}{
		{retry.OpOpen, 32, retry.Transient}, {retry.OpRead, 33, retry.Transient}, {retry.OpReplace, 32, retry.Transient},
		{retry.OpRemove, 303, retry.Transient}, {retry.OpRename, 170, retry.Transient}, {retry.OpOpen, 391, retry.Transient},
		{retry.OpOpen, 5, retry.Suspect}, {retry.OpReplace, 5, retry.Suspect}, {retry.OpReplace, 1224, retry.Suspect},
		{retry.OpReplace, 1175, retry.Transient}, {retry.OpRename, 1175, retry.Permanent},
		{retry.OpRename, 2, retry.Permanent}, {retry.OpCreate, 183, retry.Permanent}, {retry.OpWrite, 112, retry.Permanent},
		{retry.OpRemove, 145, retry.Permanent}, {retry.OpRemoveAll, 145, retry.Transient}, {retry.OpOpen, 225, retry.Permanent}, {retry.OpRename, 64, retry.Permanent},
		{retry.OpSync, 32, retry.Permanent}, {retry.OpSyncDir, 32, retry.Permanent},
	} {
		require.Equal(t, tt.want, retry.Classify(retry.Op{Kind: tt.kind}, &fs.PathError{Op: "x", Path: "y", Err: tt.code}), "%v %d", tt.kind, tt.code)
	}
	require.Equal(t, retry.Unknown, retry.Classify(renameOp, errors.New("x")))
}

// A cancelled context modifies nothing and asks nothing of the disk.
func TestCancelledContextDoesNothing(t *testing.T) {
	dir := locktest.TempDir(t)
	name := filepath.Join(dir, "f")
	require.NoError(t, os.WriteFile(name, []byte("old"), 0o600))
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	operations := 0
	counted := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		operations++
		return next()
	}}
	for _, s := range []retry.FS{{}, counted} {
		for what, do := range map[string]func() error{
			"open":      func() error { _, err := s.Open(ctx, name); return err },
			"create":    func() error { _, err := s.Create(ctx, name+"2"); return err },
			"append":    func() error { _, err := s.OpenAppend(ctx, name+"2"); return err },
			"pending":   func() error { _, err := s.NewPending(ctx, name); return err },
			"readfile":  func() error { _, err := s.ReadFile(ctx, name); return err },
			"writefile": func() error { return s.WriteFile(ctx, name, nil) },
			"rename":    func() error { return s.Rename(ctx, name, name+"2") },
			"replace":   func() error { return s.Replace(ctx, name, name+"2") },
			"link":      func() error { return s.Link(ctx, name, name+"2") },
			"remove":    func() error { return s.Remove(ctx, name) },
			"removeall": func() error { return s.RemoveAll(ctx, name) },
			"mkdirall":  func() error { return s.MkdirAll(ctx, filepath.Join(dir, "a", "b")) },
			"stat":      func() error { _, err := s.Stat(ctx, name); return err },
			"lstat":     func() error { _, err := s.Lstat(ctx, name); return err },
			"readdir":   func() error { _, err := s.ReadDir(ctx, dir); return err },
			"syncdir":   func() error { return s.SyncDir(ctx, dir) },
			"trylock":   func() error { _, _, err := s.TryLock(ctx, name+"2"); return err },
		} {
			require.ErrorIs(t, do(), cause, what)
		}
	}
	require.Zero(t, operations)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, "old", string(must(os.ReadFile(name))))
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}
