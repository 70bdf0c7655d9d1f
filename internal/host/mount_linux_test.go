package host

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMountType(t *testing.T) {
	const info = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:26 / /tmp rw - tmpfs tmpfs rw
31 22 0:27 / /mnt/my\040share rw - cifs //nas/x rw
32 22 0:28 / /home/u/remote rw - fuse.sshfs u@h: rw
33 22 0:29 / /mnt/my\040share rw - ext4 /dev/vdb rw
`
	for path, want := range map[string]string{
		"/":                     "ext4",
		"/tmpfoo":               "ext4",
		"/tmp/a":                "tmpfs",
		"/home/u/remote/deep/x": "fuse.sshfs",
		"/mnt/my share/x":       "ext4", // the later mount covers the earlier
	} {
		require.Equal(t, want, mountType(info, path), path)
	}
}
