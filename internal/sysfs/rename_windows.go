package sysfs

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Rename renames from to to and fails where to exists.
func Rename(from, to string) error {
	if err := moveFile(from, to, windows.MOVEFILE_WRITE_THROUGH); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// Replace renames from to to, in place of whatever file is there. The target is never removed first: until the
// rename is done it is the old file, from then on the new one.
//
// MoveFileEx refuses with 5 as long as anybody has the target open, even where that handle shares deletion.
// A rename with POSIX semantics (Windows 10 1607, NTFS) succeeds over such a handle, so it comes second; a file
// system without it answers 1, 50 or 87, and then the refusal of MoveFileEx stands.
func Replace(from, to string) error {
	err := moveFile(from, to, windows.MOVEFILE_REPLACE_EXISTING|windows.MOVEFILE_WRITE_THROUGH)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) && posixRename(from, to) == nil {
		return nil
	}
	if err != nil {
		return &os.LinkError{Op: "replace", Old: from, New: to, Err: err}
	}
	return nil
}

func moveFile(from, to string, flags uint32) error {
	f, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	t, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	return windows.MoveFileEx(f, t, flags)
}

// posixRename asks for FILE_RENAME_INFORMATION_EX (ntifs.h): flags, directory handle, length of the name in
// bytes, name. It replaces files only; a read-only target refuses.
func posixRename(from, to string) error {
	name, err := windows.UTF16FromString(to)
	if err != nil {
		return err
	}
	h, err := openAny(from, windows.DELETE|windows.SYNCHRONIZE)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(h)

	type renameInfo struct {
		flags      uint32
		root       windows.Handle
		nameLength uint32
		name       [1]uint16
	}
	offset := unsafe.Offsetof(renameInfo{}.name)
	buf := make([]uint64, (int(offset)+2*len(name)+7)/8+1) // aligned as the structure is
	info := (*renameInfo)(unsafe.Pointer(&buf[0]))
	info.flags = windows.FILE_RENAME_REPLACE_IF_EXISTS | windows.FILE_RENAME_POSIX_SEMANTICS
	info.nameLength = uint32(2 * (len(name) - 1))
	copy(unsafe.Slice((*uint16)(unsafe.Add(unsafe.Pointer(info), offset)), len(name)), name)
	return windows.SetFileInformationByHandle(h, windows.FileRenameInfoEx, (*byte)(unsafe.Pointer(info)), uint32(8*len(buf)))
}
