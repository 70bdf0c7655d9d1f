// Package locktest proves that a program survives file locks, faults and crashes.
//
// [New] gives the rules of Windows over a real directory on any system: share modes, deletions that wait for the
// last reader, directories pinned by an open file. Hand [Sim.FS] to the code under test and hold files against it:
//
//	sim := locktest.New(t)
//	sim.HoldFor("manifest.json", locktest.ShareNone, time.Second)
//	err := save(sim.FS(), filepath.Join(sim.Dir(), "manifest.json"))
//
// [EveryOp] fails each operation of a function in turn, [EveryCrash] cuts the power after each and checks every
// state that a disk may then be in, [Inject] fails chosen operations, and [Hold] holds a file from another process
// on a real Windows. Time is the fake one of testing/synctest where a test runs in a bubble.
//
// The model knows the handles that were opened through retry.FS and those of [Sim.Hold]. It is checked against the
// kernel's answers by the same table of cases on Windows. What it does not know: hard links as one file, names that
// differ in case only, streams, junctions, oplocks.
package locktest

import "github.com/holdfast-go/holdfast/retry"

// Windows codes to fail with, and to compare with.
const (
	NotFound         = retry.Errno(2)    // ERROR_FILE_NOT_FOUND
	AccessDenied     = retry.Errno(5)    // ERROR_ACCESS_DENIED
	SharingViolation = retry.Errno(32)   // ERROR_SHARING_VIOLATION
	LockViolation    = retry.Errno(33)   // ERROR_LOCK_VIOLATION
	DiskFull         = retry.Errno(112)  // ERROR_DISK_FULL
	DirNotEmpty      = retry.Errno(145)  // ERROR_DIR_NOT_EMPTY
	DeletePending    = retry.Errno(303)  // ERROR_DELETE_PENDING
	UserMappedFile   = retry.Errno(1224) // ERROR_USER_MAPPED_FILE
)

// Share is what a handle lets others do with the file while it is open.
type Share uint8

const (
	ShareNone   Share = 0 // as a harsh virus scanner opens
	ShareRead   Share = 1
	ShareWrite  Share = 2
	ShareDelete Share = 4
	ShareGo           = ShareRead | ShareWrite // as os.Open, Python's open and the C runtime do
	ShareAll          = ShareRead | ShareWrite | ShareDelete
)

func (s Share) String() string {
	if s == ShareNone {
		return "none"
	}
	text := ""
	for i, letter := range "rwd" {
		if s&(1<<i) != 0 {
			text += string(letter)
		}
	}
	return text
}
