//go:build unix && !linux

package proc_test

import (
	"strconv"
	"syscall"
)

const (
	cancelReachesAll   = false
	guardianReachesAll = false
)

var (
	gonePlain   []string
	goneGuarded = []string{"child", "grandchild"}
)

func running(pid string) bool {
	n, _ := strconv.Atoi(pid)
	return syscall.Kill(n, 0) == nil
}
