package locktest_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/windows"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// kernel says whether this is Wine, and whether it has POSIX deletion: a name goes although a handle is open.
func kernel(t *testing.T) (wine, posix bool) {
	wine = windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
	name := filepath.Join(locktest.TempDir(t), "f")
	f, err := retry.FS{}.Create(t.Context(), name)
	require.NoError(t, err)
	defer f.Close()
	err = once(retry.FS{}).Remove(t.Context(), name)
	return wine, err == nil
}
