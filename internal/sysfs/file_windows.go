package sysfs

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

const shareAll = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE

// OpenFile opens name for the flags os.O_RDONLY, O_WRONLY, O_RDWR, O_CREATE and O_EXCL, sharing everything.
// (os.OpenFile does not share deletion: while such a handle is open, nobody can rename or remove the file.)
func OpenFile(name string, flag int, _ fs.FileMode) (*os.File, error) {
	access := uint32(windows.GENERIC_READ)
	switch flag & (os.O_WRONLY | os.O_RDWR) {
	case os.O_WRONLY:
		access = windows.GENERIC_WRITE
	case os.O_RDWR:
		access = windows.GENERIC_READ | windows.GENERIC_WRITE
	}
	attrs := uint32(windows.FILE_ATTRIBUTE_NORMAL)
	if access == windows.GENERIC_READ {
		attrs |= windows.FILE_FLAG_BACKUP_SEMANTICS // a directory can be opened for reading
	}
	create := uint32(windows.OPEN_EXISTING)
	switch {
	case flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		create = windows.CREATE_NEW
		attrs |= windows.FILE_FLAG_OPEN_REPARSE_POINT // do not create what a link points to
	case flag&os.O_CREATE != 0:
		create = windows.OPEN_ALWAYS
	}
	h, err := openHandle(name, access, create, attrs)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(h), name), nil
}

func openHandle(name string, access, create, attrs uint32) (windows.Handle, error) {
	if name == "" {
		return windows.InvalidHandle, syscall.ERROR_FILE_NOT_FOUND
	}
	p, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return windows.InvalidHandle, err
	}
	return windows.CreateFile(p, access, shareAll, nil, create, attrs, 0)
}

// openAny opens a file, a directory or a link itself.
func openAny(name string, access uint32) (windows.Handle, error) {
	return openHandle(name, access, windows.OPEN_EXISTING,
		windows.FILE_FLAG_BACKUP_SEMANTICS|windows.FILE_FLAG_OPEN_REPARSE_POINT)
}

// Stat follows links.
func Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// Lstat does not follow links.
func Lstat(name string) (fs.FileInfo, error) { return os.Lstat(name) }

// Mkdir creates one directory.
func Mkdir(name string, perm fs.FileMode) error { return os.Mkdir(name, perm) }

// Link makes a hard link to a file; it fails where to exists.
func Link(from, to string) error { return os.Link(from, to) }

// ReadDir lists a directory in the order of names.
func ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := OpenFile(name, os.O_RDONLY, 0) // os.ReadDir would keep others from deleting the directory
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	sortEntries(entries)
	return entries, err
}

// ReadDirNoFollow is ReadDir that refuses a link in the place of the directory.
func ReadDirNoFollow(name string) ([]fs.DirEntry, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &os.PathError{Op: "readdir", Path: name, Err: syscall.ENOTDIR}
	}
	return ReadDir(name)
}

// SyncDir makes the names in a directory durable where Windows lets us: FlushFileBuffers takes a handle that may
// write, which a directory does not give to everybody and not on every file system. Replace and Rename have
// already asked for the write to go through.
func SyncDir(name string) error {
	h, err := openHandle(name, windows.GENERIC_WRITE, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS)
	if err != nil {
		if code, _ := Code(err); code == codeAccessDenied || code == codeSharingViolation {
			return nil
		}
		return &os.PathError{Op: "open", Path: name, Err: err}
	}
	defer windows.CloseHandle(h)
	err = windows.FlushFileBuffers(h)
	if code, _ := Code(err); code == codeAccessDenied || unsupported(code) {
		return nil
	}
	if err != nil {
		return &os.PathError{Op: "sync", Path: name, Err: err}
	}
	return nil
}

// Probe asks whether a file whose use was denied is held by somebody: a handle that may delete is refused with
// 32 then, and with 5 where permissions are the cause.
func Probe(name string) error {
	h, err := openAny(name, windows.DELETE)
	if err != nil {
		return &os.PathError{Op: "probe", Path: name, Err: err}
	}
	return windows.CloseHandle(h)
}

// unsupported says that a file system lacks an information class or one of its flags: FAT, old network
// shares, Windows before 10 1607. Wine 8 answers 1 where NTFS drivers answer 50 or 87.
func unsupported(code uint32) bool {
	return code == codeInvalidFunction || code == codeNotSupported || code == codeInvalidParameter
}
