//go:build unix

package sysfs

import (
	"os"
	"syscall"
)

// renameChecked looks before it renames. Between the two somebody can create to, which is then lost: it is for
// systems that have no better way.
func renameChecked(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: syscall.EEXIST}
	}
	return os.Rename(from, to)
}
