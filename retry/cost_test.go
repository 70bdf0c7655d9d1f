package retry_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

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
	ctx := b.Context()
	ours, err := retry.FS{}.Create(ctx, filepath.Join(locktest.TempDir(b), "f"))
	require.NoError(b, err)
	defer ours.Close()
	bare, buf := ours.OS(), []byte("x")
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = bare.WriteAt(buf, 0)
		}
	})
	b.Run("retry", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = ours.WriteAt(buf, 0)
		}
	})
	f := func() error { return nil }
	b.Run("do", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = retry.Policy{}.Do(ctx, renameOp, f)
		}
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
