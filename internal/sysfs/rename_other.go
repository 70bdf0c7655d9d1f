//go:build unix && !linux && !darwin

package sysfs

// Rename renames from to to and fails where to exists.
func Rename(from, to string) error { return renameChecked(from, to) }
