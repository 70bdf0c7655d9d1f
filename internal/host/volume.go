package host

// Volume describes the file system that holds a path.
type Volume struct {
	Type    string // as the system names it: "ext4", "nfs4", "NTFS"; "" where unknown
	Free    int64  // bytes that this user may still write
	Total   int64  // bytes in all
	Network bool   // another machine holds the files
}

// networkTypes are the Linux file systems behind which another machine, or a
// synchronising program, stands. FUSE types carry their program's name.
var networkTypes = map[string]bool{
	"nfs": true, "nfs4": true, "cifs": true, "smb3": true, "smbfs": true, "ncpfs": true,
	"afs": true, "ceph": true, "glusterfs": true, "lustre": true, "gpfs": true, "davfs": true,
	"fuse.sshfs": true, "fuse.rclone": true, "fuse.gvfsd-fuse": true, "fuse.glusterfs": true,
	"fuse.s3fs": true, "fuse.google-drive-ocamlfuse": true, "fuse.davfs": true,
}
