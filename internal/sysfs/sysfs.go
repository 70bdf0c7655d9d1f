// Package sysfs is the platform: the only package that opens, creates, renames, removes, locks or syncs files.
//
// Every function makes one attempt and waits for nothing. Package retry decides what is tried again. On Windows
// every handle shares reading, writing and deletion, so that a file of ours never blocks somebody else, and
// never our own rename of it.
package sysfs

import (
	"io/fs"
	"slices"
	"strings"
	"time"
)

// Windows codes that this package tells apart by itself. The full table is that of package retry.
const (
	codeInvalidFunction  = 1
	codeFileNotFound     = 2
	codePathNotFound     = 3
	codeAccessDenied     = 5
	codeSharingViolation = 32
	codeNotSupported     = 50
	codeInvalidParameter = 87
	codeDirNotEmpty      = 145
)

// PendingError says that a file was deleted and that its name is still there, because somebody has the file open.
type PendingError struct {
	Path string

	id fileID
}

func (e *PendingError) Error() string {
	return "remove " + e.Path + ": deleted, but the name stays until the last program closes it"
}

// Gone reports whether the name has gone since, or belongs to another file by now.
func (e *PendingError) Gone() bool { return gone(e.Path, e.id) }

// Holder is a process that has a file open.
type Holder struct {
	PID     int
	Name    string
	Started time.Time // zero where the system does not say
	Self    bool
}

// sortEntries puts a listing into the order of os.ReadDir.
func sortEntries(entries []fs.DirEntry) {
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
}
