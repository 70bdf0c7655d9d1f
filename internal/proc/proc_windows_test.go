package proc_test

import (
	"os"
	"os/exec"
	"path/filepath"
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
	gonePlain   = whole
	goneGuarded = whole
)

func detached(cmd *exec.Cmd) {
	const detachedProcess = 0x8 // DETACHED_PROCESS
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | detachedProcess}
}

func TestNoBatchFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "engine.bat")
	require.NoError(t, os.WriteFile(name, []byte("@echo off\r\n"), 0o600))
	_, err := proc.Run(t.Context(), proc.Command{Path: name})
	require.EqualError(t, err, "start engine.bat: a batch file would pass its arguments through a shell")
}
