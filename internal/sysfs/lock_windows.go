package sysfs

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockOffset is a byte far behind any content: a lock of Windows keeps others from reading what it covers, and
// the file may well say who the owner is.
const lockOffset = 0x7fffffff

// TryLock opens name, creating it private where it is missing, and takes an exclusive lock on it.
// A nil file without an error means that somebody has the lock. The lock ends with Unlock or with the process,
// "the time depends upon available system resources" (LockFileEx).
func TryLock(name string) (*os.File, error) {
	f, err := OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	at := windows.Overlapped{OffsetHigh: lockOffset}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return nil, nil
	}
	return nil, &os.PathError{Op: "lock", Path: name, Err: err}
}

// Unlock releases a lock of TryLock at once; closing alone leaves the moment to the system.
func Unlock(f *os.File) error {
	at := windows.Overlapped{OffsetHigh: lockOffset}
	err := windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &at)
	return errors.Join(err, f.Close())
}
