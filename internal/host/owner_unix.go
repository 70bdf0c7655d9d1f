//go:build unix

package host

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// CheckPrivate tells why others could read or exchange what lies in dir: dir
// must be ours and writable by nobody else, and no directory above it may let
// a stranger rename the next one away. dir must be absolute and free of links.
func CheckPrivate(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d, not to user %d who runs this", dir, st.Uid, os.Geteuid())
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s may be written to by others (mode %v)", dir, info.Mode().Perm())
	}
	for up := filepath.Dir(dir); ; up = filepath.Dir(up) {
		if err := checkAncestor(up); err != nil {
			return err
		}
		if up == filepath.Dir(up) {
			return nil
		}
	}
}

func checkAncestor(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s above it belongs to user %d, who could exchange it", dir, st.Uid)
	}
	if info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("%s above it may be written to by others (mode %v, no sticky bit)", dir, info.Mode().Perm())
	}
	return nil
}
