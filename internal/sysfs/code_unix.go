//go:build unix

package sysfs

import (
	"errors"
	"syscall"
)

// NativeCodes says whether the system's own errors are Windows codes.
const NativeCodes = false

// Code gives the Windows code that means the same as err, for the few errors on which a decision depends.
//
// All else gives false, EACCES and EBUSY among it: on Unix they do not pass by themselves.
func Code(err error) (uint32, bool) {
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return 0, false
	}
	switch errno {
	case syscall.ETXTBSY:
		return codeSharingViolation, true // an executable that runs cannot be written: it ends
	case syscall.ENOTEMPTY:
		return codeDirNotEmpty, true
	}
	return 0, false
}
