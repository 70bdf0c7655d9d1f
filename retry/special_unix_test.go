//go:build unix

package retry_test

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry/locktest"
)

// As root a rename would put a file in the place of /dev/null or /dev/stdout, for every program of the machine.
func TestNoSpecialFileIsReplaced(t *testing.T) {
	dir := locktest.TempDir(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, syscall.Mkfifo(at("pipe"), 0o600))
	socket, err := net.Listen("unix", at("socket"))
	require.NoError(t, err)
	defer socket.Close()
	require.NoError(t, os.Symlink("pipe", at("link to a pipe")))
	require.NoError(t, os.Symlink(os.DevNull, at("link to a device")))
	require.NoError(t, os.Symlink("link to a device", at("link to a link")))
	require.NoError(t, os.Symlink(dir, at("link to a directory")))
	for name, says := range map[string]string{
		"pipe": "a named pipe", "socket": "a socket", "link to a pipe": "a named pipe", "link to a device": "a device",
		"link to a link": "a device", "link to a directory": "a directory",
	} {
		t.Run(name, func(t *testing.T) { refusesToReplace(t, at(name), says) })
	}
}
