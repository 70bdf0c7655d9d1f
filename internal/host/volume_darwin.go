package host

import (
	"os"

	"golang.org/x/sys/unix"
)

// VolumeOf describes the volume that holds path, which must exist.
func VolumeOf(path string) (Volume, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return Volume{}, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	return Volume{
		Type:    unix.ByteSliceToString(st.Fstypename[:]),
		Free:    int64(st.Bavail) * int64(st.Bsize),
		Total:   int64(st.Blocks) * int64(st.Bsize),
		Network: st.Flags&unix.MNT_LOCAL == 0,
	}, nil
}
