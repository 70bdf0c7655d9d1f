//go:build unix

package sysfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// TryLock opens name, creating it private where it is missing, and takes an exclusive advisory lock on it.
// A nil file without an error means that somebody has the lock. The lock ends with Unlock or with the process.
func TryLock(name string) (*os.File, error) {
	for {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
		case nil:
		case unix.EINTR:
			f.Close()
			continue
		case unix.EWOULDBLOCK:
			return nil, f.Close()
		default:
			f.Close()
			return nil, &os.PathError{Op: "lock", Path: name, Err: err}
		}
		// Whoever swept the folder may have removed the file between open and lock: then it locks nothing.
		if mine, err := f.Stat(); err == nil {
			if there, err := os.Stat(name); err == nil && os.SameFile(mine, there) {
				return f, nil
			}
		}
		f.Close()
	}
}

// Unlock releases a lock of TryLock. Closing alone would leave it to the children that have a copy of the file, as each
// has between fork and exec.
func Unlock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_UN)
	return errors.Join(err, f.Close())
}
