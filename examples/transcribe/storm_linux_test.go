package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/lane"
)

// storm is a run of twenty recordings in which the program, its engine, or both
// are killed at random moments until all is transcribed.
type storm struct {
	t       *testing.T
	desk    *desk
	random  *rand.Rand
	command func() *exec.Cmd
	pause   time.Duration     // between two kills, at most
	shown   map[string]string // text of each id that the program printed
	kills   struct{ program, engine, both int }
}

func (s *storm) count() int { return s.kills.program + s.kills.engine + s.kills.both }

// run ends when a process of the program ends by itself with every transcript.
func (s *storm) run() {
	for {
		before := len(s.shown)
		cmd := s.command()
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		require.NoError(s.t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		err := s.harass(cmd.Process.Pid, ended)
		for _, l := range lines(s.t, stdout.String()) {
			s.shown[l.ID] = l.Text
		}
		if err == nil {
			return
		}
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() {
			require.Equal(s.t, exitFailed, status.ExitStatus(), stderr.String()) // an engine was killed too often over one recording
		}
		if len(s.shown) == before {
			s.pause += s.pause / 8 // a slow machine needs longer to get anywhere
		}
	}
}

// harass kills now and then, until the program has ended.
func (s *storm) harass(pid int, ended <-chan error) error {
	for {
		select {
		case err := <-ended:
			return err
		case <-time.After(time.Duration(s.random.Int64N(int64(s.pause)))):
		}
		switch engines := children(pid); s.random.IntN(4) {
		case 0:
			s.kills.program++
			syscall.Kill(pid, syscall.SIGKILL)
		case 1:
			s.kills.both++
			kill(engines)
			syscall.Kill(pid, syscall.SIGKILL)
		default:
			if len(engines) > 0 {
				s.kills.engine++
				kill(engines)
			}
		}
	}
}

func kill(pids []int) {
	for _, pid := range pids {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// children are the processes that pid has started (proc_pid_task(5)).
func children(pid int) (pids []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range tasks {
		b, _ := os.ReadFile(path) // the process may be gone
		for _, field := range strings.Fields(string(b)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// check looks at what is left: every transcript once in the journal, what was
// shown among them, no process, no scope.
func (s *storm) check(recordings int) {
	t, d := s.t, s.desk
	code, stdout, stderr := d.finish(s.command())
	require.Zero(t, code, stderr)
	final := map[string]string{}
	for _, l := range lines(t, stdout) {
		require.True(t, l.Resumed)
		final[l.ID] = l.Text
	}
	require.Len(t, final, recordings)
	for id, text := range s.shown {
		require.Equal(t, text, final[id], "it was shown")
	}
	require.Equal(t, recordings, strings.Count(d.output(journalName), "\n"), "each once")
	scopes, err := os.ReadDir(filepath.Join(d.base, "root", "s"))
	require.NoError(t, err)
	require.Empty(t, scopes)
	require.Empty(t, processes(d.base), "no process outlives the program")
}

// processes are those that name dir in their command line.
func processes(dir string) (found []string) {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range all {
		if b, _ := os.ReadFile(path); bytes.Contains(b, []byte(dir)) {
			found = append(found, string(bytes.ReplaceAll(b, []byte{0}, []byte(" "))))
		}
	}
	return found
}

func (d *desk) finish(cmd *exec.Cmd) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		d.t.Log(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// HOLDFAST_KILLS=200 runs the storm with a real engine until there were so many;
// otherwise an engine is played.
func TestStorm(t *testing.T) {
	const recordings = 20
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	want, err := strconv.Atoi(os.Getenv("HOLDFAST_KILLS"))
	real := err == nil
	if !real {
		want = 10
	}
	kills := 0
	for round := 1; kills < want; round++ {
		d := newDesk(t, recordings)
		s := &storm{t: t, desk: d, random: random, pause: 150 * time.Millisecond, shown: map[string]string{}}
		s.command = func() *exec.Cmd {
			cmd := d.command("-json", d.in)
			cmd.Env = append(cmd.Env, delayVariable+"=15")
			return cmd
		}
		if real {
			s.pause = 3 * time.Second
			spoken, err := os.ReadFile("sample.wav")
			require.NoError(t, err)
			for n := range recordings {
				spoken[len(spoken)-1] = byte(n) // so that no two are the same
				d.record(fmt.Sprintf("%02d.wav", n), spoken)
			}
			binary, model := lane.WhisperCPP(t), lane.WhisperModel(t)
			s.command = func() *exec.Cmd { return d.command("-binary", binary, "-model", model, "-json", d.in) }
		}
		s.run()
		s.check(recordings)
		kills += s.count()
		t.Logf("round %d: killed the program %d times, the engine %d, both %d", round, s.kills.program, s.kills.engine, s.kills.both)
	}
}
