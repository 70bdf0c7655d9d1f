package locktest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// childEnv tells a process that it is the other one, and what to do there: "hold" or "scan", the path, and a Scanner as
// JSON.
const childEnv = "LOCKTEST_CHILD"

const childReady = "locktest: ready"

type job struct {
	Do      string
	Path    string
	Scanner Scanner
}

// Hold opens an existing file or directory for reading in another process, on Windows, until release or the end of
// the test. Elsewhere it skips the test: no lock of theirs refuses anything.
//
// The other process is the test binary once more, told to run this very test; so what stands before the call runs
// there too, and nothing after it. It must not be called in a bubble of testing/synctest.
func Hold(t testing.TB, path string, share Share) (release func()) {
	t.Helper()
	c := start(t, job{Do: "hold", Path: path, Scanner: Scanner{Share: share}})
	return func() { c.stop() }
}

// Scan lets a scanner loose on a folder in another process, on Windows, until stop or the end of the test; stop gives
// the number of files that it held. For the rest it is like [Hold].
func Scan(t testing.TB, dir string, s Scanner) (stop func() (held int)) {
	t.Helper()
	c := start(t, job{Do: "scan", Path: dir, Scanner: s})
	return func() int {
		n, err := strconv.Atoi(strings.TrimSpace(c.stop()))
		if err != nil {
			t.Errorf("locktest: the scanner did not say how many files it held: %v", err)
		}
		return n
	}
}

// child is the other process.
type child struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	stdout *bufio.Reader
	stop   func() string // ends the work and gives what the process said then
}

func start(t testing.TB, j job) *child {
	t.Helper()
	if !holdsForReal {
		t.Skip("needs Windows, or Wine by .ci/wine.sh: on this system an open file refuses nothing")
	}
	if text, ok := os.LookupEnv(childEnv); ok {
		work(text) // does not return
	}
	var err error
	if j.Path, err = filepath.Abs(j.Path); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.Command(exe, onlyThis(t)...)}
	c.cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdin, c.stdout = stdin, bufio.NewReader(stdout)
	c.cmd.Stderr = c.cmd.Stdout
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.stop = sync.OnceValue(c.finish)
	t.Cleanup(func() { c.stop() })
	if said, ok := c.ready(); !ok {
		t.Fatalf("locktest: the process that was to %s %s said:\n%s", j.Do, j.Path, said)
	}
	return c
}

// ready waits until the process is at work, or gives what it said instead.
func (c *child) ready() (said string, ok bool) {
	for {
		line, err := c.stdout.ReadString('\n')
		if strings.TrimSpace(line) == childReady {
			return "", true
		}
		said += line
		if err != nil {
			return said, false
		}
	}
}

func (c *child) finish() string {
	c.stdin.Close() // its end is what the process waits for
	said, _ := io.ReadAll(c.stdout)
	_ = c.cmd.Wait()
	return string(said)
}

// work is what the other process does.
func work(text string) {
	var j job
	err := json.Unmarshal([]byte(text), &j)
	ctx, cancel := context.WithCancel(context.Background())
	ended := func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}
	switch {
	case err != nil:
	case j.Do == "scan":
		fmt.Println("\n" + childReady)
		go ended()
		fmt.Println(j.Scanner.Run(ctx, j.Path))
		os.Exit(0)
	default:
		var h io.Closer
		if h, err = openShared(j.Path, j.Scanner.Share); err == nil {
			fmt.Println("\n" + childReady)
			ended()
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
