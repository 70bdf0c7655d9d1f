package retry_test

import (
	"errors"
	"syscall"
)

func windowsCode(err error) (int, bool) {
	errno, ok := errors.AsType[syscall.Errno](err)
	return int(errno), ok
}
