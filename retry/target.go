package retry

import (
	"context"
	"fmt"
	"io/fs"
)

// special are the targets that a rename would put a file in the place of, or refuse only after all has been written.
// ModeIrregular is not among them: Windows has files of sync clients and of deduplication that are so described.
const special = fs.ModeDir | fs.ModeNamedPipe | fs.ModeSocket | fs.ModeDevice | fs.ModeCharDevice

// checkTarget refuses op where its new name is that of anything but a file, be it through links: root would replace
// /dev/null, or /dev/stdout, for the whole machine.
func (s FS) checkTarget(ctx context.Context, op Op, name string) error {
	if ctx.Err() != nil {
		return notTried(ctx, op)
	}
	c := call{Op: Op{Kind: OpStat, Path: name, Attempt: 1}}
	err := s.attempt(&c)
	if err == nil && c.info.Mode()&fs.ModeSymlink != 0 {
		c.follow = true
		err = s.attempt(&c)
	}
	switch {
	case isNotExist(err):
		return nil
	case err != nil && s.Policy.classify(c.Op, err).retriable():
		return nil // a lock, which only files have; the replacement waits for it
	case err != nil:
		return failed(c.Op, err)
	case c.info.Mode()&special != 0:
		return failed(op, fmt.Errorf("%s is there, and only a regular file is replaced; choose another name", describeType(c.info.Mode())))
	}
	return nil
}

func describeType(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}
