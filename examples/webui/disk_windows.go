package main

import (
	"errors"

	"golang.org/x/sys/windows"
)

// freeSpace is how many bytes this user may still write on a folder's volume,
// quotas counted.
func freeSpace(dir string) (int64, error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(name, &free, nil, nil); err != nil {
		return 0, err
	}
	return int64(free), nil
}

const errDiskFull = windows.ERROR_DISK_FULL

func isDiskFull(err error) bool {
	return errors.Is(err, errDiskFull) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}
