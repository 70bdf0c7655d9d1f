package nemo_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr/nemo"
	"github.com/holdfast-go/holdfast/internal/lane"
)

// TestNothingOutside watches by strace(1) every file that Python and all that it
// starts create, change, or open for writing, from the first instruction to the
// end. All of it must lie in the root.
func TestNothingOutside(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		lane.Missing(t, "strace", "no strace: apt-get install strace")
	}
	each(t, func(t *testing.T, b bench) {
		log := filepath.Join(t.TempDir(), "strace.log")
		traced := filepath.Join(t.TempDir(), "python")
		calls := "'trace=?" + strings.Join(slices.Concat(opening, changing), ",?") + "'" // with all of %file it takes half as long again
		command := strings.Join([]string{"exec", strace, "-f", "-y", "-qq", "--seccomp-bpf", "-s", "4096", "-e", calls, "-o", log, b.python, `"$@"`}, " ")
		require.NoError(t, os.WriteFile(traced, []byte("#!/bin/sh\n"+command+"\n"), 0o700))
		b.python = traced

		j := newJob(t, sentences[:4]...)
		engine := b.open(t, nemo.Config{Model: b.model(t, "ctc-bpe"), Root: j.root, Words: true})
		heard, _, err := j.run(t.Context(), engine)
		require.NoError(t, err)
		require.Equal(t, j.want, heard)
		require.NoError(t, engine.Close()) // removes the scope

		changes := changed(t, log)
		require.NotEmpty(t, changes)
		inside := 0
		for _, path := range changes {
			if path == j.root.Path() || strings.HasPrefix(path, j.root.Path()+"/") {
				inside++
				continue
			}
			if strings.HasPrefix(path, "/dev/shm/sem.") {
				continue // a semaphore, of tqdm's; it is memory, and has no name any more once it is made
			}
			require.Contains(t, []string{"/dev/null", "/dev/tty"}, path)
		}
		t.Logf("%d changes, all in the root", inside)
	})
}

var (
	callOf   = regexp.MustCompile(`^\d+ +(\w+)\((.*)\) += (-?\d+)`)
	pathsOf  = regexp.MustCompile(`(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"`)
	opening  = []string{"open", "openat", "openat2"}
	changing = []string{"creat", "mkdir", "mkdirat", "mknod", "mknodat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat",
		"unlink", "unlinkat", "rmdir", "truncate", "chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat", "utimensat",
		"setxattr", "lsetxattr", "removexattr", "lremovexattr"}
)

// changed lists the paths of all successful calls that change a file, from a log
// of strace -y, in which every relative path has the directory before it.
func changed(t *testing.T, log string) (paths []string) {
	t.Helper()
	file, err := os.Open(log)
	require.NoError(t, err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	begun := map[string]string{} // calls of threads that were interrupted by others' lines
	for lines.Scan() {
		line := lines.Text()
		pid, rest, _ := strings.Cut(line, " ")
		if head, ok := strings.CutSuffix(line, " <unfinished ...>"); ok {
			begun[pid] = head
			continue
		}
		if _, tail, ok := strings.Cut(rest, "resumed>"); ok {
			line = begun[pid] + tail
			delete(begun, pid)
		}
		call := callOf.FindStringSubmatch(line)
		if call == nil || strings.HasPrefix(call[3], "-") {
			continue
		}
		name, arguments := call[1], call[2]
		writes := strings.Contains(arguments, "O_WRONLY") || strings.Contains(arguments, "O_RDWR") || strings.Contains(arguments, "O_CREAT")
		if !slices.Contains(changing, name) && !(slices.Contains(opening, name) && writes) {
			continue
		}
		for _, found := range pathsOf.FindAllStringSubmatch(arguments, -1) {
			path := found[2]
			if !filepath.IsAbs(path) {
				require.NotEmpty(t, found[1], line)
				path = filepath.Join(found[1], path)
			}
			paths = append(paths, filepath.Clean(path))
		}
	}
	require.NoError(t, lines.Err())
	return paths
}
