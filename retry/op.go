package retry

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// Kind is a kind of file operation.
type Kind uint8

// The kinds of operations, as an [Interceptor] sees them.
const (
	OpOpen      Kind = iota + 1 // opens an existing file for reading
	OpCreate                    // creates a file that must not exist
	OpAppend                    // opens a file for reading and writing at its end, creating it where missing
	OpRead                      // reads from an open file
	OpWrite                     // writes to an open file
	OpTruncate                  // sets the size of an open file
	OpSync                      // makes the content of an open file durable
	OpClose                     // closes an open file
	OpStat                      // describes a name
	OpReadDir                   // lists a directory
	OpMkdir                     // creates one directory
	OpRename                    // renames, refusing an existing target
	OpReplace                   // renames in place of the target
	OpLink                      // makes a hard link
	OpRemove                    // removes a file or an empty directory
	OpRemoveAll                 // a pass over a tree; it appears in errors and events, the passes consist of the other kinds
	OpLock                      // takes an advisory lock
	OpUnlock                    // releases it
	OpSyncDir                   // makes the names in a directory durable
	OpProbe                     // asks why access was denied: opens for deletion, and closes at once
)

var kindNames = [...]string{
	"operation", "open", "create", "append", "read", "write", "truncate", "sync", "close", "stat", "readdir", "mkdir",
	"rename", "replace", "link", "remove", "removeall", "lock", "unlock", "syncdir", "probe",
}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("operation %d", uint8(k))
}

// Op is one file operation. An [Interceptor] sees each attempt at it.
type Op struct {
	Kind Kind
	// Path is what the operation works on, as the caller spelt it; for an operation on an open file, the name
	// that it was opened under.
	Path string
	// To is the new name: for OpRename, OpReplace and OpLink.
	To string
	// Offset is where an OpRead or OpWrite begins; -1 for "where the file stands".
	Offset int64
	// Bytes is how many bytes an OpRead or OpWrite is to move at most, or the size that OpTruncate sets; -1 for
	// all of another file. An interceptor may lower it to shorten a write or a read.
	Bytes int64
	// Attempt counts from 1.
	Attempt int
	// File is the open file of an operation on one, the file about to be opened, and the one that a Pending renames;
	// otherwise nil.
	File *File
}

func (op Op) String() string {
	if op.Kind == OpReplace && filepath.Dir(op.Path) == filepath.Dir(op.To) {
		// The target is the file that people know; the other is mostly a temporary one.
		return "replace " + oneLine(op.To) + " by " + oneLine(filepath.Base(op.Path))
	}
	text := op.Kind.String() + " " + oneLine(op.Path)
	if op.To != "" {
		text += " -> " + oneLine(op.To)
	}
	return text
}

// oneLine is a name as it is, or quoted where it would break the line.
func oneLine(name string) string {
	if strings.ContainsFunc(name, unicode.IsControl) {
		return strconv.Quote(name)
	}
	return name
}

// paths are the names that somebody may hold.
func (op Op) paths() []string {
	switch {
	case op.To != "" && op.File.OS() != nil:
		return []string{op.To} // the other is open, by us
	case op.To != "":
		return []string{op.To, op.Path}
	}
	return []string{op.Path}
}

// Interceptor sees every attempt at every operation, as http.RoundTripper sees every request. It calls next for
// the operation to happen, or returns an error for it to fail. It may be called by several goroutines at once.
type Interceptor func(op *Op, next func() error) error
