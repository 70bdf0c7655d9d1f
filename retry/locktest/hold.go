package locktest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// holdEnv tells a process that it is the holder: "share,path".
const holdEnv = "LOCKTEST_HOLD"

const holdReady = "locktest: held"

// Hold opens an existing file or directory for reading in another process, on Windows, until release or the end of
// the test. Elsewhere it skips the test: no lock of theirs refuses anything.
//
// The other process is the test binary once more, told to run this very test; so what stands before the call runs
// there too, and nothing after it. It must not be called in a bubble of testing/synctest.
func Hold(t testing.TB, path string, share Share) (release func()) {
	t.Helper()
	if !holdsForReal {
		t.Skip("locktest.Hold needs Windows: on this system an open file refuses nothing")
	}
	if job, ok := os.LookupEnv(holdEnv); ok {
		beHolder(job) // does not return
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, onlyThis(t)...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d,%s", holdEnv, share, path))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	released := false
	release = func() {
		if released {
			return
		}
		released = true
		stdin.Close() // its end is what the holder waits for
		_ = cmd.Wait()
	}
	t.Cleanup(release)
	said := waitReady(stdout)
	if said != "" {
		release()
		t.Fatalf("locktest: the process that was to hold %s said:\n%s", path, said)
	}
	return release
}

// waitReady gives what the holder said instead of being ready.
func waitReady(out io.Reader) string {
	var said strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == holdReady {
			return ""
		}
		said.WriteString(lines.Text() + "\n")
	}
	return said.String() + "(end)"
}

// beHolder is what the other process does.
func beHolder(job string) {
	shareText, path, _ := strings.Cut(job, ",")
	share, err := strconv.Atoi(shareText)
	if err == nil {
		var h io.Closer
		if h, err = openShared(path, Share(share)); err == nil {
			fmt.Println("\n" + holdReady)
			_, _ = io.Copy(io.Discard, os.Stdin)
			_ = h.Close()
			os.Exit(0)
		}
	}
	fmt.Println(err)
	os.Exit(1)
}

// onlyThis are the arguments that make a test binary run the test or benchmark t alone.
func onlyThis(t testing.TB) []string {
	var parts []string
	for _, part := range strings.Split(t.Name(), "/") {
		parts = append(parts, "^"+regexp.QuoteMeta(part)+"$")
	}
	pattern := strings.Join(parts, "/")
	if _, ok := t.(*testing.B); ok {
		return []string{"-test.run=^$", "-test.bench=" + pattern, "-test.benchtime=1x"}
	}
	return []string{"-test.run=" + pattern, "-test.count=1"}
}
