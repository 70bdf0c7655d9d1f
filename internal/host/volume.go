package host

// Volume describes the file system that holds a path.
type Volume struct {
	Type    string // as the system names it: "ext4", "nfs4", "NTFS"; "" where unknown
	Free    int64  // bytes that this user may still write
	Total   int64  // bytes in all
	Network bool   // another machine holds the files
}
