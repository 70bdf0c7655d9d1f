package tempdir

import (
	"fmt"
	"os"
	"path/filepath"
)

// defaultDirs lists what Open tries for an empty name. The cache directory of
// the user comes first: it is private, on a real disk, and emptied by nobody
// while a job runs, as a system-wide temporary directory may be
// (systemd-tmpfiles(8)). %ProgramData% is there for a Windows user whose name
// has a character that NeMo cannot take, as in `C:\Users\Ann (Work)`.
func defaultDirs() []string {
	var dirs []string
	if cache, err := os.UserCacheDir(); err == nil {
		dirs = append(dirs, filepath.Join(cache, "holdfast", "root"))
	}
	dirs = append(dirs, filepath.Join(os.TempDir(), fmt.Sprintf("holdfast-%d", os.Geteuid())))
	if data := os.Getenv("ProgramData"); data != "" {
		dirs = append(dirs, filepath.Join(data, "holdfast"))
	}
	return dirs
}
