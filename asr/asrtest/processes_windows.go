package asrtest

import (
	"syscall"
	"unsafe"
)

// processes lists all processes by a Toolhelp snapshot.
func processes() []process {
	snapshot, err := syscall.CreateToolhelp32Snapshot(syscall.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil
	}
	defer syscall.CloseHandle(snapshot)
	var list []process
	entry := syscall.ProcessEntry32{}
	entry.Size = uint32(unsafe.Sizeof(entry))
	for err := syscall.Process32First(snapshot, &entry); err == nil; err = syscall.Process32Next(snapshot, &entry) {
		list = append(list, process{
			pid: int(entry.ProcessID), parent: int(entry.ParentProcessID),
			name: syscall.UTF16ToString(entry.ExeFile[:]),
		})
	}
	return list
}
