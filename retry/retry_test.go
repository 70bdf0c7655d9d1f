package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// A sync that failed is never tried again, whatever the policy says: the next one can lie.
func TestSyncIsNeverRetried(t *testing.T) {
	syncs := 0
	s := retry.FS{
		Policy: retry.Policy{Classify: func(retry.Op, error) retry.Class { return retry.Transient }},
		Intercept: func(op *retry.Op, next func() error) error {
			if op.Kind == retry.OpSync {
				syncs++
				return sharingViolation
			}
			return next()
		},
	}
	f, err := s.Create(t.Context(), filepath.Join(locktest.TempDir(t), "f"))
	require.NoError(t, err)
	defer f.Close()
	require.Error(t, f.Sync())
	require.Equal(t, 1, syncs)
	require.ErrorContains(t, f.Sync(), "an earlier sync failed")
	_, err = f.Write([]byte("x"))
	require.ErrorContains(t, err, "an earlier sync failed")
	require.Equal(t, 1, syncs)

	require.Error(t, s.WriteFile(t.Context(), filepath.Join(locktest.TempDir(t), "g"), nil))
	require.Equal(t, 2, syncs)
}

func TestFirstTryCostsNothing(t *testing.T) {
	p, ctx := retry.Policy{}, t.Context()
	f := func() error { return nil }
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = p.Do(ctx, renameOp, f) }))

	var s retry.FS
	dir := locktest.TempDir(t)
	bare := testing.AllocsPerRun(100, func() { _, _ = os.Lstat(dir) })
	ours := testing.AllocsPerRun(100, func() { _, _ = s.Lstat(ctx, dir) })
	require.Equal(t, bare, ours)

	name := filepath.Join(dir, "f")
	file, err := s.Create(ctx, name)
	require.NoError(t, err)
	defer file.Close()
	buf := []byte("x")
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = file.Write(buf) }))
}

func BenchmarkFirstTry(b *testing.B) {
	dir, ctx := b.TempDir(), b.Context()
	var s retry.FS
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = os.Lstat(dir)
		}
	})
	b.Run("retry", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = s.Lstat(ctx, dir)
		}
	})
	f := func() error { return nil }
	b.Run("do", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = s.Policy.Do(ctx, renameOp, f)
		}
	})
}

func TestWriteFile(t *testing.T) {
	dir, ctx := locktest.TempDir(t), t.Context()
	var s retry.FS
	name := filepath.Join(dir, "f.json")
	require.NoError(t, s.WriteFile(ctx, name, []byte("one")))
	require.NoError(t, s.WriteFile(ctx, name, []byte("two")))
	data, err := s.ReadFile(ctx, name)
	require.NoError(t, err)
	require.Equal(t, "two", string(data))
	entries, err := s.ReadDir(ctx, dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file stays")
	require.ErrorIs(t, s.WriteFile(ctx, filepath.Join(dir, "no", "f"), nil), fs.ErrNotExist)
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows gives the folder's permissions to what is in it")
	}
	dir, ctx := locktest.TempDir(t), t.Context()
	mode := func(elem ...string) fs.FileMode {
		info, err := os.Stat(filepath.Join(append([]string{dir}, elem...)...))
		require.NoError(t, err)
		return info.Mode().Perm()
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "umask"), nil, 0o666))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "umaskdir"), 0o777))
	for _, tt := range []struct {
		fs        retry.FS
		file, dir fs.FileMode
	}{
		{retry.FS{}, 0o600, 0o700},
		{retry.FS{Public: true}, mode("umask"), mode("umaskdir")},
	} {
		sub := fmt.Sprint(tt.fs.Public)
		require.NoError(t, tt.fs.MkdirAll(ctx, filepath.Join(dir, sub, "b")))
		require.NoError(t, tt.fs.WriteFile(ctx, filepath.Join(dir, sub, "whole"), nil))
		f, err := tt.fs.OpenAppend(ctx, filepath.Join(dir, sub, "append"))
		require.NoError(t, err)
		require.NoError(t, f.Close())
		require.Equal(t, tt.dir, mode(sub))
		require.Equal(t, tt.dir, mode(sub, "b"))
		require.Equal(t, tt.file, mode(sub, "whole"))
		require.Equal(t, tt.file, mode(sub, "append"))
	}
}

func TestPendingWithoutCommitNeverWas(t *testing.T) {
	dir, ctx := locktest.TempDir(t), t.Context()
	var s retry.FS
	p, err := s.NewPending(ctx, filepath.Join(dir, "f"))
	require.NoError(t, err)
	_, err = io.WriteString(p, "half")
	require.NoError(t, err)
	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
	require.ErrorIs(t, p.Commit(ctx), os.ErrClosed)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestAppendFile(t *testing.T) {
	dir, ctx := locktest.TempDir(t), t.Context()
	var s retry.FS
	name := filepath.Join(dir, "journal")
	for i := range 2 {
		f, err := s.OpenAppend(ctx, name)
		require.NoError(t, err)
		head, err := io.ReadAll(f)
		require.NoError(t, err)
		require.Equal(t, strings.Repeat("line\n", i), string(head))
		_, err = f.Write([]byte("line\ntorn"))
		require.NoError(t, err)
		require.NoError(t, f.Truncate(int64(5*(i+1))))
		buf := make([]byte, 5)
		n, err := f.ReadAt(buf, int64(5*i))
		require.NoError(t, err)
		require.Equal(t, "line\n", string(buf[:n]))
		_, err = f.ReadAt(make([]byte, 6), int64(5*i))
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, f.Sync())
		require.NoError(t, f.Close())
		require.NoError(t, f.Close())
	}
	data, err := s.ReadFile(ctx, name)
	require.NoError(t, err)
	require.Equal(t, "line\nline\n", string(data))
}

func TestRenameRefusesAndReplaceDoesNot(t *testing.T) {
	dir, ctx := locktest.TempDir(t), t.Context()
	var s retry.FS
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	require.NoError(t, s.WriteFile(ctx, a, []byte("a")))
	require.NoError(t, s.WriteFile(ctx, b, []byte("b")))
	require.ErrorIs(t, s.Rename(ctx, a, b), fs.ErrExist)
	require.ErrorIs(t, s.Link(ctx, a, b), fs.ErrExist)
	require.NoError(t, s.Replace(ctx, a, b))
	require.NoError(t, s.Link(ctx, b, a))
	require.NoError(t, s.Rename(ctx, b, filepath.Join(dir, "c")))
	data, err := s.ReadFile(ctx, a)
	require.NoError(t, err)
	require.Equal(t, "a", string(data))
	require.ErrorIs(t, s.Rename(ctx, b, a), fs.ErrNotExist)
}

func TestRemoveAll(t *testing.T) {
	dir, ctx := locktest.TempDir(t), t.Context()
	var s retry.FS
	outside := filepath.Join(dir, "outside")
	require.NoError(t, s.WriteFile(ctx, outside, []byte("stays")))
	tree := filepath.Join(dir, "tree")
	require.NoError(t, s.MkdirAll(ctx, filepath.Join(tree, "a", "b")))
	for _, name := range []string{"f", filepath.Join("a", "f"), filepath.Join("a", "b", "f")} {
		require.NoError(t, s.WriteFile(ctx, filepath.Join(tree, name), nil))
		require.NoError(t, os.Chmod(filepath.Join(tree, name), 0o400))
	}
	if err := os.Symlink(outside, filepath.Join(tree, "link")); err != nil {
		t.Log("without a symbolic link:", err)
	}
	require.NoError(t, s.RemoveAll(ctx, tree))
	require.NoError(t, s.RemoveAll(ctx, tree))
	require.FileExists(t, outside)
	for _, name := range []string{"", ".", "..", string(filepath.Separator)} {
		require.Error(t, s.RemoveAll(ctx, name), "%q", name)
	}
}

func TestRemoveAllGoesOnAndNamesTheLeftovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, ctx := locktest.TempDir(t), t.Context()
		held := make(map[string]bool)
		s := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
			if op.Kind == retry.OpRemove && held[filepath.Base(op.Path)] {
				return sharingViolation
			}
			return next()
		}}
		s.Policy.Holders = func(_ context.Context, paths ...string) ([]retry.Holder, error) {
			require.Equal(t, "f05", filepath.Base(paths[0]))
			return []retry.Holder{{PID: 7, Name: "scanner.exe"}}, nil
		}
		tree := filepath.Join(dir, "tree")
		require.NoError(t, s.MkdirAll(ctx, tree))
		for i := range 40 {
			name := fmt.Sprintf("f%02d", i)
			require.NoError(t, s.WriteFile(ctx, filepath.Join(tree, name), nil))
			held[name] = i%2 == 1 && i >= 5
		}
		start := time.Now()
		err := s.RemoveAll(ctx, tree)
		require.Equal(t, 10*time.Second, time.Since(start), "one budget for the whole tree")
		require.ErrorIs(t, err, retry.ErrLocked)
		left, ok := errors.AsType[*retry.LeftoverError](err)
		require.True(t, ok)
		require.Equal(t, tree, left.Root)
		require.Len(t, left.Paths, 16)
		require.Equal(t, 2, left.More)
		require.Contains(t, err.Error(), "scanner.exe (pid 7)")
		require.NotContains(t, err.Error(), "\n")
		t.Log(err)
		entries, _ := os.ReadDir(tree)
		require.Len(t, entries, 18, "all that could go has gone")

		var once sync.Once
		s.Policy.Observe = func(e retry.Event) {
			if e.Waited > time.Second {
				once.Do(func() { clear(held) })
			}
		}
		require.NoError(t, s.RemoveAll(ctx, tree))
	})
}

func TestTryLock(t *testing.T) {
	ctx := t.Context()
	var s retry.FS
	name := filepath.Join(locktest.TempDir(t), "lock")
	unlock, ok, err := s.TryLock(ctx, name)
	require.NoError(t, err)
	require.True(t, ok)
	_, ok, err = s.TryLock(ctx, name)
	require.NoError(t, err)
	require.False(t, ok)
	_, err = s.ReadFile(ctx, name)
	require.NoError(t, err, "what a locked file says can be read")
	require.NoError(t, unlock())
	require.NoError(t, unlock())
	unlock, ok, err = s.TryLock(ctx, name)
	require.NoError(t, err)
	require.True(t, ok)
	require.NoError(t, unlock())
}

func TestErrorIsOneReadableLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := locktest.TempDir(t)
		name := filepath.Join(dir, "manifest.json")
		require.NoError(t, os.WriteFile(name, nil, 0o600))
		s := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
			if op.Kind == retry.OpReplace {
				return accessDenied
			}
			return next()
		}}
		for _, tt := range []struct {
			holders []retry.Holder
			want    string
		}{
			{nil, "holder unknown"},
			{[]retry.Holder{{PID: 12, Name: "MsMpEng.exe"}, {PID: 13, Name: "OneDrive.exe"}}, "held by MsMpEng.exe (pid 12), OneDrive.exe (pid 13)"},
			{[]retry.Holder{{PID: 14, Name: "app.exe", Self: true}}, "held by this process itself (app.exe, pid 14)"},
		} {
			s.Policy.Holders = func(context.Context, ...string) ([]retry.Holder, error) { return tt.holders, nil }
			err := s.WriteFile(t.Context(), name, []byte("{}"))
			require.ErrorIs(t, err, retry.ErrLocked)
			e, ok := errors.AsType[*retry.Error](err)
			require.True(t, ok)
			require.Equal(t, 10*time.Second, e.Waited)
			text := err.Error()
			t.Log(text)
			for _, part := range []string{"replace", name, "access is denied (Windows error 5)", fmt.Sprintf("tried %d times in 10s", e.Attempts), tt.want} {
				require.Contains(t, text, part)
			}
			require.NotContains(t, text, "\n")
		}
		entries, _ := os.ReadDir(dir)
		require.Len(t, entries, 1)
	})
}

// Whoever copies by io.Copy gets what the kernel has: the interceptor sees one write instead of many.
func TestCopyIsOneOperation(t *testing.T) {
	dir, ctx := locktest.TempDir(t), t.Context()
	var writes atomic.Int32
	s := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpWrite {
			writes.Add(1)
		}
		return next()
	}}
	content := strings.Repeat("0123456789abcdef", 1<<16)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "src"), []byte(content), 0o600))
	src, err := s.Open(ctx, filepath.Join(dir, "src"))
	require.NoError(t, err)
	defer src.Close()
	dst, err := s.Create(ctx, filepath.Join(dir, "dst"))
	require.NoError(t, err)
	defer dst.Close()
	for range 2 {
		n, err := io.CopyN(dst, src, 1<<19)
		require.NoError(t, err)
		require.EqualValues(t, 1<<19, n)
	}
	n, err := io.Copy(dst, src)
	require.NoError(t, err)
	require.Zero(t, n)
	require.EqualValues(t, 3, writes.Load())
	got, err := os.ReadFile(dst.Name())
	require.NoError(t, err)
	require.True(t, content == string(got))
}

func TestHoldersFindsThisProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can be asked without a real Windows")
	}
	name := filepath.Join(locktest.TempDir(t), "f")
	f, err := retry.FS{}.Create(t.Context(), name)
	require.NoError(t, err)
	defer f.Close()
	holders, err := retry.Holders(t.Context(), name)
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(holders, func(h retry.Holder) bool { return h.Self && h.PID == os.Getpid() }))
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

// Whoever removes a lock file while he has the lock must not let two others in, one on the old and one on the new
// file.
func TestLockOfARemovedFileIsNone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there a file that is locked cannot vanish under its name without its handle")
	}
	name := filepath.Join(locktest.TempDir(t), "lock")
	var s retry.FS
	var inside, taken atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				unlock, ok, err := s.TryLock(t.Context(), name)
				if err != nil || !ok {
					continue
				}
				taken.Add(1)
				if inside.Add(1) != 1 {
					t.Error("two have the lock")
				}
				runtime.Gosched()
				inside.Add(-1)
				_ = os.Remove(name)
				_ = unlock()
			}
		})
	}
	all.Wait()
	require.NotZero(t, taken.Load())
}
