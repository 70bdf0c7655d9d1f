package retry

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/holdfast-go/holdfast/internal/sysfs"
)

// Errno is a Windows error code, on every system: 32 is ERROR_SHARING_VIOLATION here, whereas
// syscall.Errno(32) is EPIPE on Linux.
type Errno uint32

// Codes of winerror.h on which [Classify] decides.
const (
	codeInvalidFunction  Errno = 1
	codeFileNotFound     Errno = 2
	codePathNotFound     Errno = 3
	codeAccessDenied     Errno = 5
	codeNotSameDevice    Errno = 17
	codeSharingViolation Errno = 32
	codeLockViolation    Errno = 33
	codeNotSupported     Errno = 50
	codeFileExists       Errno = 80
	codeInvalidParameter Errno = 87
	codeDiskFull         Errno = 112
	codeDirNotEmpty      Errno = 145
	codePathBusy         Errno = 148
	codeBusy             Errno = 170
	codeAlreadyExists    Errno = 183
	codeLocked           Errno = 212
	codeDeletePending    Errno = 303
	codeCloudFileInUse   Errno = 391
	codeTooManyLinks     Errno = 1142
	codeUnableToReplace  Errno = 1175 // of ReplaceFile
	codeUnableToMove     Errno = 1176 // of ReplaceFile
	codeUserMappedFile   Errno = 1224
)

// The texts are those of Windows, shortened.
var errnoTexts = map[Errno]string{
	codeInvalidFunction:  "invalid function",
	codeFileNotFound:     "the file does not exist",
	codePathNotFound:     "the folder does not exist",
	codeAccessDenied:     "access is denied",
	codeNotSameDevice:    "the other name is on another disk",
	codeSharingViolation: "the file is being used by another process",
	codeLockViolation:    "another process has locked a part of the file",
	codeNotSupported:     "the request is not supported",
	codeFileExists:       "the file exists",
	codeInvalidParameter: "the parameter is incorrect",
	codeDiskFull:         "there is not enough space on the disk",
	codeDirNotEmpty:      "the directory is not empty",
	codePathBusy:         "the path cannot be used at this time",
	codeBusy:             "the resource is in use",
	codeAlreadyExists:    "the file exists already",
	codeLocked:           "the segment is locked",
	codeDeletePending:    "the file is deleted, but somebody still has it open",
	codeCloudFileInUse:   "the cloud sync provider is using the file",
	codeUserMappedFile:   "the file is mapped into the memory of a process",
}

func (e Errno) Error() string {
	if text, ok := errnoTexts[e]; ok {
		return text
	}
	return fmt.Sprintf("Windows error %d", uint32(e))
}

// Is lets errors.Is find fs.ErrNotExist, fs.ErrExist, fs.ErrPermission and errors.ErrUnsupported, as it does for
// syscall.Errno on Windows.
func (e Errno) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e == codeFileNotFound || e == codePathNotFound
	case fs.ErrExist:
		return e == codeFileExists || e == codeAlreadyExists || e == codeDirNotEmpty
	case fs.ErrPermission:
		return e == codeAccessDenied
	case errors.ErrUnsupported:
		return e == codeNotSupported || e == codeInvalidFunction
	}
	return false
}

// codeOf finds the Windows code in an error of any system; 0 where it has none.
func codeOf(err error) Errno {
	if e, ok := errors.AsType[Errno](err); ok {
		return e
	}
	code, _ := sysfs.Code(err)
	return Errno(code)
}
