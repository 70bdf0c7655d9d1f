package retry

import "errors"

// Class says whether an error is worth another try.
type Class uint8

const (
	Unknown   Class = iota // not in the table: fails at once
	Permanent              // fails at once
	Suspect                // 5 and 1224, which have many causes: a short budget, after asking which it is
	Transient              // somebody holds the file: the full budget
)

func (c Class) String() string {
	switch c {
	case Permanent:
		return "permanent"
	case Suspect:
		return "suspect"
	case Transient:
		return "transient"
	}
	return "unknown"
}

// Classify is the built-in table, by operation and Windows code, the same on every system.
//
// On Unix only ETXTBSY is transient; EACCES and EBUSY are what they say. Network file systems and Docker mounts
// that pass Windows's locks on as EACCES need [Policy.Classify].
func Classify(op Op, err error) Class {
	if err == nil {
		return Unknown
	}
	if op.Kind == OpSync || op.Kind == OpSyncDir {
		return Permanent
	}
	if pass, ok := errors.AsType[*passError](err); ok {
		return pass.class
	}
	switch codeOf(err) {
	case codeSharingViolation, codeLockViolation, codeDeletePending,
		codeBusy, codePathBusy, codeLocked, codeCloudFileInUse:
		return Transient
	case codeAccessDenied, codeUserMappedFile:
		return Suspect
	case codeDirNotEmpty:
		if op.Kind == OpRemoveAll {
			return Transient // what was in it is deleted: a name waits for somebody to close the file
		}
		return Permanent
	case codeUnableToReplace, codeUnableToMove:
		if op.Kind == OpReplace {
			return Transient
		}
		return Permanent
	case 0:
		return Unknown
	}
	return Permanent
}

// denied asks why an operation was answered with ERROR_ACCESS_DENIED. Windows says so for missing permissions, for
// a read-only file, for a directory in the place of a file, for a name whose deletion is pending and for a held
// file, and only the last two pass.
func (s FS) denied(op Op) Class {
	if op.Kind == OpReplace {
		// The source can be opened for deletion by now or the rename would have said 32: look at the target.
		info, err := s.look(op.To)
		switch {
		case err == nil && (info.IsDir() || info.Mode().Perm()&0o200 == 0):
			return Permanent
		case err == nil:
			return Transient
		case isNotExist(err):
			// then the source or the folder is the cause
		default:
			return Transient // a name that cannot even be looked at is about to go
		}
	}
	info, err := s.look(op.Path)
	if err == nil {
		writes := op.Kind == OpCreate || op.Kind == OpAppend || op.Kind == OpLock
		if writes && (info.IsDir() || info.Mode().Perm()&0o200 == 0) {
			return Permanent
		}
		if info.IsDir() && op.Kind == OpRename {
			return Suspect // a file that is open somewhere below pins it, which no probe of the directory shows
		}
	}
	if isNotExist(err) {
		return Suspect
	}
	err = s.attempt(&call{Op: Op{Kind: OpProbe, Path: op.Path, Attempt: 1}})
	if err == nil || codeOf(err) == codeSharingViolation {
		return Transient
	}
	return Suspect
}

// retriable says whether a class is worth another try at all.
func (c Class) retriable() bool { return c == Suspect || c == Transient }
