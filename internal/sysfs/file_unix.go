//go:build unix

package sysfs

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// OpenFile opens name as os.OpenFile does.
func OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}

// Stat follows links.
func Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// Lstat does not follow links.
func Lstat(name string) (fs.FileInfo, error) { return os.Lstat(name) }

// Mkdir creates one directory.
func Mkdir(name string, perm fs.FileMode) error { return os.Mkdir(name, perm) }

// Link makes a hard link to a file; it fails where to exists.
func Link(from, to string) error { return os.Link(from, to) }

// Replace renames from to to, in place of whatever file is there.
func Replace(from, to string) error { return os.Rename(from, to) }

// ReadDir lists a directory in the order of names.
func ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// ReadDirNoFollow is ReadDir that refuses a link in the place of the directory.
func ReadDirNoFollow(name string) ([]fs.DirEntry, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	sortEntries(entries)
	return entries, err
}

// SyncDir makes the names in a directory durable. It does nothing on file systems that cannot.
func SyncDir(name string) error {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	err = f.Sync()
	// fsync(2): EINVAL for a file that does not support synchronization. ENOTSUP comes from network file systems.
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// Probe asks whether a file whose use was denied is held by somebody. Only Windows can answer.
func Probe(string) error { return nil }

type fileID struct{}

// Remove removes a file, a link or an empty directory.
func Remove(name string) error { return os.Remove(name) }

func gone(name string, _ fileID) bool {
	_, err := os.Lstat(name)
	return errors.Is(err, fs.ErrNotExist)
}
