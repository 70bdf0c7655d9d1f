//go:build unix && !linux

package proc

import (
	"os"
	"syscall"
)

func self() (string, error) { return os.Executable() }

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

// waitEnd does nothing: exec.Cmd.Wait waits, and reaps the child at once. The
// moment in which the group's number could be another's is short.
func waitEnd(int) {}

// killMarked does nothing: here nobody can see the environment of others.
func killMarked(string) {}

func outlive(*syscall.SysProcAttr) {}
