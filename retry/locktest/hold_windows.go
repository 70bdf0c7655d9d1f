package locktest

import (
	"io"
	"os"
	"syscall"
)

const holdsForReal = true

// openShared opens for reading and lets others do what share says, no more.
func openShared(path string, share Share) (io.Closer, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	var mode uint32
	for _, m := range []struct {
		share Share
		flag  uint32
	}{
		{ShareRead, syscall.FILE_SHARE_READ},
		{ShareWrite, syscall.FILE_SHARE_WRITE},
		{ShareDelete, 4}, // FILE_SHARE_DELETE
	} {
		if share&m.share != 0 {
			mode |= m.flag
		}
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ, mode, nil, syscall.OPEN_EXISTING, syscall.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		return nil, &os.PathError{Op: "hold", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}
