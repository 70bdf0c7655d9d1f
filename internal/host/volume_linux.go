package host

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// networkTypes are the Linux file systems behind which another machine, or a
// synchronising program, stands. FUSE types carry their program's name.
var networkTypes = map[string]bool{
	"nfs": true, "nfs4": true, "cifs": true, "smb3": true, "smbfs": true, "ncpfs": true,
	"afs": true, "ceph": true, "glusterfs": true, "lustre": true, "gpfs": true, "davfs": true,
	"fuse.sshfs": true, "fuse.rclone": true, "fuse.gvfsd-fuse": true, "fuse.glusterfs": true,
	"fuse.s3fs": true, "fuse.google-drive-ocamlfuse": true, "fuse.davfs": true,
}

// VolumeOf describes the volume that holds path, which must exist.
func VolumeOf(path string) (Volume, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return Volume{}, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	var v Volume
	v.Free, v.Total = space(&st)
	if mounts, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		v.Type = mountType(string(mounts), path)
	}
	v.Network = networkTypes[v.Type]
	return v, nil
}

// space gives bytes. The blocks are counted in fragments (statvfs(3)); where the
// system does not say how long one is, in blocks.
func space(st *unix.Statfs_t) (free, total int64) {
	unit := int64(st.Frsize)
	if unit == 0 {
		unit = int64(st.Bsize)
	}
	// Bavail, not Bfree: the difference is reserved for root.
	return int64(st.Bavail) * unit, int64(st.Blocks) * unit
}

// mountType finds the type of the longest mount point above path in the text
// of /proc/self/mountinfo (proc_pid_mountinfo(5)). Of two mounts on the same
// point the later one counts, for it covers the earlier.
func mountType(mountinfo, path string) string {
	var best, kind string
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(line, " - ")
		fields, rest := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(rest) < 1 {
			continue
		}
		point := unescapeOctal(fields[4])
		if len(point) >= len(best) && within(point, path) {
			best, kind = point, rest[0]
		}
	}
	return kind
}

func within(dir, path string) bool {
	if dir == "/" || dir == path {
		return true
	}
	return strings.HasPrefix(path, dir+"/")
}

// unescapeOctal undoes the kernel's \040 for space, \011, \012 and \134.
func unescapeOctal(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			b.WriteByte((s[i+1]-'0')<<6 | (s[i+2]-'0')<<3 | (s[i+3] - '0'))
			i += 3
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
