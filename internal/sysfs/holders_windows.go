package sysfs

import (
	"context"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Restart Manager, restartmanager.h.
const (
	rmSessionKeyLen = 32 // CCH_RM_SESSION_KEY
	rmMaxAppName    = 255
	rmMaxSvcName    = 63
	rmTries         = 6 // the list can grow between two calls
)

type rmProcessInfo struct {
	pid       uint32
	started   windows.Filetime
	appName   [rmMaxAppName + 1]uint16
	svcName   [rmMaxSvcName + 1]uint16
	appType   uint32
	status    uint32
	sessionID uint32
	restart   int32
}

// Holders asks the Restart Manager which processes have one of the paths open. It does not know of kernel
// drivers, of network clients, nor of directories, so an empty list proves nothing. A call costs milliseconds and
// writes to the registry: ask once, when giving up.
func Holders(_ context.Context, paths []string) ([]Holder, error) {
	dll := windows.NewLazySystemDLL("rstrtmgr.dll")
	start, register := dll.NewProc("RmStartSession"), dll.NewProc("RmRegisterResources")
	getList, end := dll.NewProc("RmGetList"), dll.NewProc("RmEndSession")
	for _, p := range []*windows.LazyProc{start, register, getList, end} {
		if err := p.Find(); err != nil {
			return nil, err
		}
	}

	var session uint32
	var key [rmSessionKeyLen + 1]uint16
	if rc, _, _ := start.Call(uintptr(unsafe.Pointer(&session)), 0, uintptr(unsafe.Pointer(&key[0]))); rc != 0 {
		return nil, windows.Errno(rc)
	}
	defer end.Call(uintptr(session))

	names := make([]*uint16, len(paths))
	for i, p := range paths {
		var err error
		if names[i], err = windows.UTF16PtrFromString(p); err != nil {
			return nil, err
		}
	}
	if rc, _, _ := register.Call(uintptr(session), uintptr(len(names)), uintptr(unsafe.Pointer(&names[0])), 0, 0, 0, 0); rc != 0 {
		return nil, windows.Errno(rc)
	}

	infos := make([]rmProcessInfo, 8)
	for range rmTries {
		var need, reasons uint32
		have := uint32(len(infos))
		rc, _, _ := getList.Call(uintptr(session), uintptr(unsafe.Pointer(&need)), uintptr(unsafe.Pointer(&have)),
			uintptr(unsafe.Pointer(&infos[0])), uintptr(unsafe.Pointer(&reasons)))
		if windows.Errno(rc) == windows.ERROR_MORE_DATA {
			infos = make([]rmProcessInfo, need+8)
			continue
		}
		if rc != 0 {
			return nil, windows.Errno(rc)
		}
		return living(infos[:min(int(have), len(infos))]), nil
	}
	return nil, windows.ERROR_MORE_DATA
}

func living(infos []rmProcessInfo) []Holder {
	var found []Holder
	for i := range infos {
		p := &infos[i]
		if !alive(p.pid, p.started) {
			continue
		}
		found = append(found, Holder{
			PID:     int(p.pid),
			Name:    windows.UTF16ToString(p.appName[:]),
			Started: time.Unix(0, p.started.Nanoseconds()),
			Self:    int(p.pid) == os.Getpid(),
		})
	}
	return found
}

// alive reports whether the process still runs; a reused id has another start time. What may not be asked is
// taken to be alive.
func alive(pid uint32, started windows.Filetime) bool {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return err != windows.ERROR_INVALID_PARAMETER // no such process
	}
	defer windows.CloseHandle(h)
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(h, &created, &exited, &kernel, &user) != nil {
		return true
	}
	return created == started
}
