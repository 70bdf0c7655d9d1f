package sysfs

import (
	"errors"
	"syscall"
)

// NativeCodes says whether the system's own errors are Windows codes.
const NativeCodes = true

// Code gives the Windows code inside err.
func Code(err error) (uint32, bool) {
	errno, ok := errors.AsType[syscall.Errno](err)
	// Package syscall invents numbers from 1<<29 on for errors that Windows does not have.
	if !ok || errno >= syscall.APPLICATION_ERROR {
		return 0, false
	}
	return uint32(errno), true
}
