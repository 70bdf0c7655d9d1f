//go:build unix

package main

import (
	"errors"

	"golang.org/x/sys/unix"
)

// freeSpace is how many bytes this user may still write on a folder's volume.
func freeSpace(dir string) (int64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, err
	}
	return int64(stat.Bavail) * int64(stat.Bsize), nil
}

const errDiskFull = unix.ENOSPC

func isDiskFull(err error) bool {
	return errors.Is(err, errDiskFull) || errors.Is(err, unix.EDQUOT)
}
