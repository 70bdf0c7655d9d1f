package sysfs

import (
	"os"

	"golang.org/x/sys/unix"
)

// Rename renames from to to and fails where to exists.
func Rename(from, to string) error {
	err := unix.RenamexNp(from, to, unix.RENAME_EXCL)
	switch err {
	case nil:
		return nil
	case unix.EINVAL, unix.ENOSYS, unix.ENOTSUP: // rename(2): the file system lacks the flag
		return renameChecked(from, to)
	}
	return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
}
