//go:build unix

package retry_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// Between fork and exec a child has a copy of every open file, and with it the lock: unlock ends that one too.
func TestUnlockWhileProcessesStart(t *testing.T) {
	program, err := exec.LookPath("true")
	if err != nil {
		t.Skip("no program to start: true(1) is missing")
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for ctx.Err() == nil {
			_ = exec.Command(program).Run()
		}
	}()
	defer func() { cancel(); <-stopped }()

	var files retry.FS
	name := filepath.Join(locktest.TempDir(t), "lock")
	for range 20_000 {
		unlock, ok, err := files.TryLock(t.Context(), name)
		require.NoError(t, err)
		require.True(t, ok, "nobody has the lock any more")
		require.NoError(t, unlock())
	}
}
