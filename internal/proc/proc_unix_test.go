//go:build unix

package proc_test

import (
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/proc"
)

// detached makes cmd leave the process group.
func detached(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

func TestSignal(t *testing.T) {
	with(t, func(t *testing.T, g *proc.Guardian) {
		result, err := proc.Run(t.Context(), proc.Command{Path: "sh", Args: []string{"-c", "echo bad >&2; kill -SEGV $$"}, Guardian: g})
		require.EqualError(t, err, "sh: ended by signal: segmentation fault: bad")
		require.Equal(t, -1, result.ExitCode)
		require.Equal(t, "segmentation fault", result.Signal)
	})
}

// A tree as shells make it, with a member that ignores what can be ignored.
func TestShellTree(t *testing.T) {
	with(t, func(t *testing.T, g *proc.Guardian) {
		var pids []string
		seen := make(chan struct{})
		p, err := proc.Start(t.Context(), proc.Command{
			Path: "sh",
			Args: []string{"-c", `sleep 1000 & echo $!; (trap "" TERM INT HUP; sleep 1000) & echo $!; echo $$; wait`},
			Stdout: func(line []byte) {
				if pids = append(pids, string(line)); len(pids) == 3 {
					close(seen)
				}
			},
			Guardian: g,
		})
		require.NoError(t, err)
		<-seen
		p.Kill()
		_, err = p.Wait()
		require.Error(t, err)
		for _, pid := range pids {
			require.False(t, running(pid), pid)
		}
	})
}
