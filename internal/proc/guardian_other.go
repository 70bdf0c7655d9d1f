//go:build unix && !linux

package proc

import "syscall"

// adopt does nothing: only Linux lets a process adopt orphans.
func adopt() {}

// killChildren ends the process group, and with it this process.
func killChildren() { killGroup() }

func killGroup() { syscall.Kill(0, syscall.SIGKILL) }
