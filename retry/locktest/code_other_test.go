//go:build !windows

package locktest_test

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// systemCode is the Windows code for an error of Unix, which the model leaves as it is.
func systemCode(t *testing.T, err error) retry.Errno {
	t.Helper()
	switch {
	case errors.Is(err, syscall.ENOTEMPTY):
		return locktest.DirNotEmpty
	case errors.Is(err, fs.ErrNotExist):
		return locktest.NotFound
	}
	require.Fail(t, "no Windows code", "%v", err)
	return 0
}
