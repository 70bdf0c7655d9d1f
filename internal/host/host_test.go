package host_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/host"
)

func TestVolumeOfTempDir(t *testing.T) {
	v, err := host.VolumeOf(t.TempDir())
	require.NoError(t, err)
	require.Positive(t, v.Total)
	require.Positive(t, v.Free)
	require.LessOrEqual(t, v.Free, v.Total)
}

func TestVolumeOfMissingPath(t *testing.T) {
	_, err := host.VolumeOf(t.TempDir() + "/absent")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestLiveness(t *testing.T) {
	self := host.Self()
	require.Equal(t, host.Alive, host.Of(self))

	other := self
	other.Host = "another-machine"
	require.Equal(t, host.Unknown, host.Of(other), "nothing can be said about another machine's process")

	if self.Start != "" {
		reused := self
		reused.Start = "1"
		require.Equal(t, host.Dead, host.Of(reused), "the number is in use again, by a later process")
	}
	if self.Boot != "" {
		earlier := self
		earlier.Boot = "00000000-0000-0000-0000-000000000000"
		require.Equal(t, host.Dead, host.Of(earlier), "no process outlives its boot")
	}
}

func TestEndedProcessIsDead(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	require.NoError(t, cmd.Start())
	p := host.Self()
	p.PID, p.Start = cmd.Process.Pid, ""
	require.NoError(t, cmd.Wait())
	require.Equal(t, host.Dead, host.Of(p))
}
