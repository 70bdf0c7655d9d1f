package host

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// VolumeOf describes the volume that holds path, which must exist.
func VolumeOf(path string) (Volume, error) {
	p, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return Volume{}, &os.PathError{Op: "volume", Path: path, Err: err}
	}
	var v Volume
	var free, total uint64
	if err := windows.GetDiskFreeSpaceEx(p, &free, &total, nil); err != nil {
		return Volume{}, &os.PathError{Op: "GetDiskFreeSpaceEx", Path: path, Err: err}
	}
	v.Free, v.Total = int64(free), int64(total)

	root := filepath.VolumeName(path) + `\`
	r, err := windows.UTF16PtrFromString(root)
	if err != nil {
		return v, nil
	}
	v.Network = windows.GetDriveType(r) == windows.DRIVE_REMOTE
	name := make([]uint16, windows.MAX_PATH+1)
	if windows.GetVolumeInformation(r, nil, 0, nil, nil, nil, &name[0], uint32(len(name))) == nil {
		v.Type = windows.UTF16ToString(name)
	}
	return v, nil
}
