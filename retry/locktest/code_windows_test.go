package locktest_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
)

// systemCode is the code in an error of Windows itself.
func systemCode(t *testing.T, err error) retry.Errno {
	t.Helper()
	errno, ok := errors.AsType[syscall.Errno](err)
	require.True(t, ok, "no Windows code in %v", err)
	return retry.Errno(errno)
}
