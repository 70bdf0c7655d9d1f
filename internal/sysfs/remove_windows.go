package sysfs

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

type fileID struct {
	volume    uint32
	high, low uint32
}

// Remove removes a file, a link or an empty directory, read-only or not. It answers *PendingError where the name
// stays because somebody has the file open.
func Remove(name string) error {
	h, err := openAny(name, windows.DELETE|windows.FILE_READ_ATTRIBUTES)
	if err != nil {
		return &os.PathError{Op: "remove", Path: name, Err: err}
	}
	id := identify(h)
	// With POSIX semantics the name goes when our handle closes, no matter who else has the file open.
	flags := uint32(windows.FILE_DISPOSITION_DELETE | windows.FILE_DISPOSITION_POSIX_SEMANTICS |
		windows.FILE_DISPOSITION_FORCE_IMAGE_SECTION_CHECK | windows.FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE)
	err = windows.SetFileInformationByHandle(h, windows.FileDispositionInfoEx, (*byte)(unsafe.Pointer(&flags)), 4)
	windows.CloseHandle(h)
	if code, _ := Code(err); unsupported(code) {
		err = os.Remove(name) // clears the read-only attribute too
	}
	if err != nil {
		return &os.PathError{Op: "remove", Path: name, Err: bare(err)}
	}
	if !gone(name, id) {
		return &PendingError{Path: name, id: id}
	}
	return nil
}

// gone reports whether name is absent or another file than id. While a deletion is pending NTFS answers 5.
func gone(name string, id fileID) bool {
	h, err := openAny(name, windows.FILE_READ_ATTRIBUTES)
	if err != nil {
		code, _ := Code(err)
		return code == codeFileNotFound || code == codePathNotFound
	}
	defer windows.CloseHandle(h)
	return identify(h) != id
}

func identify(h windows.Handle) fileID {
	var info windows.ByHandleFileInformation
	if windows.GetFileInformationByHandle(h, &info) != nil {
		return fileID{}
	}
	return fileID{info.VolumeSerialNumber, info.FileIndexHigh, info.FileIndexLow}
}

// bare takes the code out of an error of package os.
func bare(err error) error {
	if pe, ok := err.(*os.PathError); ok {
		return pe.Err
	}
	return err
}
