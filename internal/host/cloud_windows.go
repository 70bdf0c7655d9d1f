package host

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// cloudTag is IO_REPARSE_TAG_CLOUD without its four variant bits (ntifs.h);
// OneDrive and other users of the cloud files API mark their roots with it.
const (
	cloudTag     = 0x9000001A
	cloudTagMask = 0xFFFF0FFF
)

// CheckSynced tells whether dir itself carries the mark of a synchronised
// folder. The caller asks for each directory above it as well.
func CheckSynced(dir string) error {
	p, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return nil
	}
	var found windows.Win32finddata
	h, err := windows.FindFirstFile(p, &found)
	if err != nil {
		return nil // a volume's root cannot be looked up so, and is never synced
	}
	windows.FindClose(h)
	if found.FileAttributes&windows.FILE_ATTRIBUTE_REPARSE_POINT != 0 && found.Reserved0&cloudTagMask == cloudTag {
		return fmt.Errorf("%s is a cloud folder (reparse tag %#x)", dir, found.Reserved0)
	}
	return nil
}
