package tempdir_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/host"
	"github.com/holdfast-go/holdfast/internal/lane"
	"github.com/holdfast-go/holdfast/tempdir"
)

// Where files can share blocks staging copies nothing: on an XFS of its own the
// staged file takes no space.
func TestStageSharesBlocks(t *testing.T) {
	mkfs, err := exec.LookPath("mkfs.xfs")
	if err != nil {
		lane.Missing(t, "reflink", "no mkfs.xfs (Debian's xfsprogs)")
	}
	dir := shortDir(t)
	image, mount := filepath.Join(dir, "image"), filepath.Join(dir, "mnt")
	require.NoError(t, os.WriteFile(image, nil, 0o600))
	require.NoError(t, os.Truncate(image, 400<<20))
	require.NoError(t, os.Mkdir(mount, 0o700))
	out, err := exec.Command(mkfs, "-q", "-m", "reflink=1", image).CombinedOutput()
	require.NoError(t, err, string(out))
	if out, err := exec.Command("mount", "-o", "loop", image, mount).CombinedOutput(); err != nil {
		lane.Missing(t, "reflink", "cannot mount a loop device: "+string(out))
	}
	t.Cleanup(func() { exec.Command("umount", mount).Run() })

	src := filepath.Join(mount, "src.wav")
	content := bytes.Repeat([]byte("0123456789abcdef"), 64<<20/16+3) // and a part of a block
	require.NoError(t, os.WriteFile(src, content, 0o600))
	root, err := tempdir.Open(t.Context(), filepath.Join(mount, "root"), tempdir.Options{MinFree: -1})
	require.NoError(t, err)
	scope := newScope(t, root)
	used := func() int64 {
		require.NoError(t, exec.Command("sync", "-f", mount).Run())
		v, err := host.VolumeOf(mount)
		require.NoError(t, err)
		return v.Total - v.Free
	}
	before := used()
	staged, err := scope.Stage(t.Context(), src)
	require.NoError(t, err)
	require.Equal(t, sum(content), staged.SHA256)
	require.Less(t, used()-before, int64(4<<20), "bytes that 64 MiB took")
}
