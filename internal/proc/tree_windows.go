package proc

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// tree is a child in a Job Object, which holds everything that the child starts.
type tree struct {
	cmd *exec.Cmd
	mu  sync.Mutex
	job windows.Handle // 0 when closed
}

// startTree starts cmd suspended, puts it into a job, and lets it run: so it
// cannot start anything outside. Our handle of the job is not inherited and is
// the only one; when we end, however that happens, the system closes it and ends
// the job (JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE).
func startTree(cmd *exec.Cmd, _ *Guardian) (*tree, error) {
	switch strings.ToLower(filepath.Ext(cmd.Path)) {
	case ".bat", ".cmd":
		return nil, errors.New("a batch file would pass its arguments through a shell")
	}
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("create a job object: %w", err)
	}
	t := &tree{cmd: cmd, job: job}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	if _, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits))); err != nil {
		t.close()
		return nil, fmt.Errorf("set up a job object: %w", err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_SUSPENDED | windows.CREATE_NO_WINDOW}
	if err := cmd.Start(); err != nil {
		t.close()
		return nil, err
	}
	pid := uint32(cmd.Process.Pid)
	if err := errors.Join(t.assign(pid), resume(pid)); err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *tree) assign(pid uint32) error {
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, pid)
	if err != nil {
		return fmt.Errorf("open the new process: %w", err)
	}
	defer windows.CloseHandle(process)
	if err := windows.AssignProcessToJobObject(t.job, process); err != nil {
		return fmt.Errorf("put the new process into a job object: %w", err)
	}
	return nil
}

// resume lets a suspended process run. Its first thread is the only one, but its
// handle was closed by os/exec, so it is looked up.
func resume(pid uint32) error {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return fmt.Errorf("list threads: %w", err)
	}
	defer windows.CloseHandle(snapshot)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err := windows.Thread32First(snapshot, &entry); err == nil; err = windows.Thread32Next(snapshot, &entry) {
		if entry.OwnerProcessID != pid {
			continue
		}
		thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, entry.ThreadID)
		if err != nil {
			return fmt.Errorf("open the new process's thread: %w", err)
		}
		defer windows.CloseHandle(thread)
		if _, err := windows.ResumeThread(thread); err != nil {
			return fmt.Errorf("resume the new process: %w", err)
		}
		return nil
	}
	return errors.New("the new process has no thread")
}

// kill ends the tree at once.
func (t *tree) kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.job != 0 {
		windows.TerminateJobObject(t.job, 1)
	}
}

// wait waits for the child and ends what it has started.
func (t *tree) wait() (outcome, error) {
	err := t.cmd.Wait()
	t.kill()
	if t.cmd.ProcessState == nil {
		return outcome{code: -1}, err
	}
	return outcome{code: t.cmd.ProcessState.ExitCode()}, nil
}

// sweep has nothing to do: nothing gets out of a job.
func (t *tree) sweep() {}

func (t *tree) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	windows.CloseHandle(t.job)
	t.job = 0
}
