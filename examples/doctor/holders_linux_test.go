package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
)

// Another process has a file open: the system names it.
func TestHoldersForReal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest-0000.json")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	cmd := exec.Command("sh", "-c", `exec 3<"$1"; echo ready; read line`, "sh", path)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() {
		stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait()
	}()
	_, err = bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)

	test := newLockTest(retry.FS{}, filepath.Dir(path), quietly)
	test.ask(t.Context(), 0, path)
	require.Equal(t, map[int]bool{0: true}, test.touched)
	require.NotNil(t, test.holders[cmd.Process.Pid])
	require.NotEmpty(t, test.holders[cmd.Process.Pid].Name)
}
