package proc_test

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/proc"
)

const (
	cancelReachesAll   = true
	guardianReachesAll = true
)

var (
	gonePlain   = []string{"child"}
	goneGuarded = whole
)

// running reports whether a process exists that has not ended.
func running(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.HasPrefix(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " Z")
}

// Whoever kills the guardian kills the child; the mark finds the others.
func TestGuardianIsKilled(t *testing.T) {
	board := newSwitchboard(t)
	c := role("tree", board.env())
	c.Guardian = guardian
	p, err := proc.Start(context.Background(), c)
	require.NoError(t, err)
	board.await(t, whole...)
	require.NoError(t, syscall.Kill(p.Pid(), syscall.SIGKILL))
	result, err := p.Wait()
	require.Error(t, err)
	require.Equal(t, "killed", result.Signal)
	board.gone(t, whole...)
}

// A guardian that is stopped cannot help; the tree ends without it.
func TestGuardianIsStopped(t *testing.T) {
	board := newSwitchboard(t)
	c := role("tree", board.env())
	c.Guardian = guardian
	p, err := proc.Start(context.Background(), c)
	require.NoError(t, err)
	board.await(t, whole...)
	require.NoError(t, syscall.Kill(p.Pid(), syscall.SIGSTOP))
	p.Kill()
	_, err = p.Wait()
	require.Error(t, err)
	board.gone(t, whole...)
}
