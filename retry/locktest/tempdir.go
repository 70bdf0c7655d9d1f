package locktest

import (
	"context"
	"os"
	"testing"

	"github.com/holdfast-go/holdfast/retry"
)

// TempDir is t.TempDir whose removal survives locks, works on file systems without POSIX deletion, and says who
// holds what it could not remove.
func TempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "locktest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := (retry.FS{}).RemoveAll(context.Background(), dir); err != nil {
			t.Errorf("after the test: %v", err)
		}
	})
	return dir
}
