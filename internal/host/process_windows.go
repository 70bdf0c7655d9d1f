package host

import (
	"errors"
	"strconv"

	"golang.org/x/sys/windows"
)

// bootID is unknown here; the start time tells processes apart across boots.
func bootID() string { return "" }

func processStart(pid int) (string, Liveness) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION|windows.SYNCHRONIZE, false, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return "", Dead // the answer for a number that nobody has
	}
	if err != nil {
		return "", Unknown
	}
	defer windows.CloseHandle(h)
	if ev, err := windows.WaitForSingleObject(h, 0); err == nil && ev == windows.WAIT_OBJECT_0 {
		return "", Dead // ended; somebody still holds a handle to it
	}
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &created, &exited, &kernel, &user); err != nil {
		return "", Unknown
	}
	return strconv.FormatInt(created.Nanoseconds(), 10), Alive
}
