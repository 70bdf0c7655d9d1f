package proc_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/proc"
)

// The test binary is also every child of the tests: what it does is in its
// environment. It can be its own guardian, as an application's main would be.
func TestMain(m *testing.M) {
	guardian = proc.GuardianMain()
	if role := os.Getenv("PROC_TEST_ROLE"); role != "" {
		roles[role]()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var guardian *proc.Guardian

var roles = map[string]func(){
	"speak": func() {
		fmt.Print("one\r\ntwo\n\n")
		fmt.Fprint(os.Stderr, " 10%\r 50%\r100%\nwarning\nerror: no such model\n")
		fmt.Print("unended")
		os.Exit(3)
	},
	"flood": func() {
		line := strings.Repeat("x", 99) + "\n"
		for range 50_000 {
			fmt.Fprint(os.Stdout, line)
			fmt.Fprint(os.Stderr, line)
		}
	},
	"long": func() { fmt.Print(strings.Repeat("y", 40<<20)) },
	"cat": func() {
		io.Copy(os.Stdout, os.Stdin)
		fmt.Println("end of input")
	},
	"pwd": func() {
		dir, _ := os.Getwd()
		fmt.Println(dir, os.Getenv("PROC_TEST_ADDR") == "", len(os.Args))
	},
	"burst": func() {
		call("child")
		fmt.Print(strings.Repeat("z\n", 20_000))
	},
	"fail": func() { os.Exit(5) },

	// A tree: each member calls the test, and lives until the test hangs up.
	"sleeper": func() { hold(os.Getenv("PROC_TEST_NAME")) },
	"tree": func() {
		spawn("grandchild", "sleeper", false)
		spawn("detached", "sleeper", true)
		spawn("", "parent of an orphan", false).Wait()
		hold("child")
	},
	"parent of an orphan": func() { spawn("orphan", "sleeper", true) },
	"leave":               func() { spawn("grandchild", "sleeper", false) },
	"leave detached":      func() { spawn("detached", "sleeper", true) },

	// An owner of a tree, to be killed.
	"owner":         func() { own(nil) },
	"guarded owner": func() { own(guardian) },
}

func call(name string) net.Conn {
	c, err := net.Dial("tcp", os.Getenv("PROC_TEST_ADDR"))
	if err != nil {
		os.Exit(9)
	}
	fmt.Fprintln(c, name)
	return c
}

func hold(name string) { io.Copy(io.Discard, call(name)) }

// spawn starts another child; it inherits the pipes.
func spawn(name, role string, detach bool) *exec.Cmd {
	cmd := exec.Command(self())
	cmd.Env = append(os.Environ(), "PROC_TEST_ROLE="+role, "PROC_TEST_NAME="+name)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if detach {
		detached(cmd)
	}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(8)
	}
	return cmd
}

func own(g *proc.Guardian) {
	p, err := proc.Start(context.Background(), proc.Command{Path: self(), Env: append(os.Environ(), "PROC_TEST_ROLE=tree"), Guardian: g})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(7)
	}
	p.Wait()
}

func self() string {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return exe
}

// role is a command that plays one.
func role(name string, env ...string) proc.Command {
	return proc.Command{Path: self(), Env: append(append(os.Environ(), "PROC_TEST_ROLE="+name), env...)}
}

// switchboard is where the members of a tree call; a call ends with its process,
// which shows an end on every system, and of processes that nobody can wait for.
type switchboard struct {
	net.Listener
	calls map[string]net.Conn
}

func newSwitchboard(t *testing.T) *switchboard {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &switchboard{l, make(map[string]net.Conn)}
	t.Cleanup(func() {
		l.Close()
		for _, c := range s.calls {
			c.Close()
		}
	})
	return s
}

func (s *switchboard) env() string { return "PROC_TEST_ADDR=" + s.Addr().String() }

// await waits until all of these have called.
func (s *switchboard) await(t *testing.T, names ...string) {
	t.Helper()
	for range names {
		require.NoError(t, s.Listener.(*net.TCPListener).SetDeadline(time.Now().Add(time.Minute)))
		c, err := s.Accept()
		require.NoError(t, err, "only these have called: %v", s.calls)
		name, err := bufio.NewReader(c).ReadString('\n')
		require.NoError(t, err)
		s.calls[strings.TrimSpace(name)] = c
	}
	for _, name := range names {
		require.Contains(t, s.calls, name)
	}
}

// gone checks that all of these have ended, or do within the minute that only a
// failing test takes.
func (s *switchboard) gone(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		c := s.calls[name]
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
		_, err := c.Read(make([]byte, 1))
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "%s lives", name)
	}
}

// lives checks that a process can still be talked to.
func (s *switchboard) lives(t *testing.T, name string) {
	t.Helper()
	require.NoError(t, s.calls[name].SetReadDeadline(time.Now().Add(time.Millisecond)))
	_, err := s.calls[name].Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "%s has ended", name)
}

var whole = []string{"child", "grandchild", "detached", "orphan"}

// collect keeps copies of lines.
func collect(to *[]string) func([]byte) {
	return func(line []byte) { *to = append(*to, string(line)) }
}

// with runs a test without and with a guardian.
func with(t *testing.T, f func(t *testing.T, g *proc.Guardian)) {
	t.Run("plain", func(t *testing.T) { f(t, nil) })
	t.Run("guarded", func(t *testing.T) { f(t, guardian) })
}

func TestLinesAndResult(t *testing.T) {
	with(t, func(t *testing.T, g *proc.Guardian) {
		var stdout, stderr []string
		c := role("speak")
		c.Stdout, c.Stderr, c.Guardian = collect(&stdout), collect(&stderr), g
		result, err := proc.Run(t.Context(), c)
		require.Equal(t, []string{"one", "two", "", "unended"}, stdout)
		require.Equal(t, []string{" 10%", " 50%", "100%", "warning", "error: no such model"}, stderr)
		require.Equal(t, 3, result.ExitCode)
		require.Empty(t, result.Signal)
		require.Positive(t, result.Duration)
		require.Equal(t, strings.Join(stderr, "\n"), result.Tail)
		var exit *proc.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, result, exit.Result)
		require.EqualError(t, err, filepath.Base(self())+": exit code 3: error: no such model")
	})
}

func TestPipesAreDrained(t *testing.T) {
	result, err := proc.Run(t.Context(), role("flood"))
	require.NoError(t, err)
	require.Equal(t, strings.Repeat(strings.Repeat("x", 99)+"\n", 20), result.Tail+"\n")

	var sizes []int
	c := role("long")
	c.Stdout = func(line []byte) { sizes = append(sizes, len(line)) }
	_, err = proc.Run(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, []int{16 << 20, 16 << 20, 8 << 20}, sizes)
}

// What a child has written before its end is read, however late.
func TestLateReading(t *testing.T) {
	board := newSwitchboard(t)
	release := make(chan struct{})
	lines := 0
	c := role("burst", board.env())
	c.Linger = time.Millisecond
	c.Stdout = func([]byte) {
		<-release
		lines++
	}
	p, err := proc.Start(t.Context(), c)
	require.NoError(t, err)
	board.await(t, "child")
	board.gone(t, "child")
	close(release)
	_, err = p.Wait()
	require.NoError(t, err)
	require.Equal(t, 20_000, lines)
}

func TestStdin(t *testing.T) {
	with(t, func(t *testing.T, g *proc.Guardian) {
		lines := make(chan string, 10)
		c := role("cat")
		c.Stdin, c.Guardian = true, g
		c.Stdout = func(line []byte) { lines <- string(line) }
		p, err := proc.Start(t.Context(), c)
		require.NoError(t, err)
		require.Positive(t, p.Pid())
		for _, word := range []string{"hello", "again"} {
			fmt.Fprintln(p.Stdin(), word)
			require.Equal(t, word, <-lines)
		}
		require.NoError(t, p.Stdin().Close())
		_, err = p.Wait()
		require.NoError(t, err)
		require.Equal(t, "end of input", <-lines)

		c.Stdin = false
		_, err = proc.Run(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, "end of input", <-lines)
	})
}

func TestDirEnvArgs(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	var stdout []string
	c := role("pwd")
	c.Dir, c.Args, c.Stdout = dir, []string{"a b", `"`, "$(x)"}, collect(&stdout)
	_, err = proc.Run(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, []string{dir + " true 4"}, stdout)
}

// Commands may share an environment, also with room behind its end: a tree's mark
// must not get into that of another.
func TestEnvironmentIsLeftAlone(t *testing.T) {
	c := role("pwd")
	c.Env = append(make([]string, 0, len(c.Env)+1), c.Env...)
	_, err := proc.Run(t.Context(), c)
	require.NoError(t, err)
	require.Empty(t, c.Env[:cap(c.Env)][len(c.Env)])
}

func TestCannotStart(t *testing.T) {
	with(t, func(t *testing.T, g *proc.Guardian) {
		missing := filepath.Join(t.TempDir(), "engine")
		_, err := proc.Run(t.Context(), proc.Command{Path: missing, Guardian: g})
		require.ErrorIs(t, err, os.ErrNotExist)
		require.ErrorContains(t, err, "start engine: ")

		c := role("pwd")
		c.Dir, c.Guardian = missing, g
		_, err = proc.Run(t.Context(), c)
		require.Error(t, err)

		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("shutting down")
		cancel(reason)
		_, err = proc.Run(ctx, role("pwd"))
		require.ErrorIs(t, err, reason)
	})
}

func TestCancelKillsTheTree(t *testing.T) {
	with(t, func(t *testing.T, g *proc.Guardian) {
		board := newSwitchboard(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		c := role("tree", board.env())
		c.Guardian = g
		p, err := proc.Start(ctx, c)
		require.NoError(t, err)
		board.await(t, whole...)
		reason := errors.New("the user has left")
		cancel(reason)
		result, err := p.Wait()
		require.ErrorIs(t, err, reason)
		require.NotZero(t, result.ExitCode)
		board.gone(t, "child", "grandchild")
		if cancelReachesAll || g != nil && guardianReachesAll {
			board.gone(t, whole...)
		}
	})
}

func TestKill(t *testing.T) {
	board := newSwitchboard(t)
	p, err := proc.Start(t.Context(), role("tree", board.env()))
	require.NoError(t, err)
	board.await(t, whole...)
	board.lives(t, "grandchild")
	p.Kill()
	<-p.Done()
	_, err = p.Wait()
	var exit *proc.ExitError
	require.ErrorAs(t, err, &exit)
	board.gone(t, "child", "grandchild")
	p.Kill() // too late, and harmless
}

// When the child ends, so does what it leaves.
func TestLeftovers(t *testing.T) {
	with(t, func(t *testing.T, g *proc.Guardian) {
		board := newSwitchboard(t)
		c := role("leave", board.env())
		c.Guardian = g
		p, err := proc.Start(t.Context(), c)
		require.NoError(t, err)
		_, err = p.Wait()
		require.NoError(t, err)
		// It may have been ended before it could call.
		require.NoError(t, board.Listener.(*net.TCPListener).SetDeadline(time.Now().Add(100*time.Millisecond)))
		if call, err := board.Accept(); err == nil {
			board.calls["grandchild"] = call
			_, _ = bufio.NewReader(call).ReadString('\n')
			board.gone(t, "grandchild")
		}

		// This one has left the group and holds the pipes.
		c = role("leave detached", board.env())
		c.Guardian, c.Linger = g, 10*time.Millisecond
		_, err = proc.Run(t.Context(), c)
		require.NoError(t, err)
		if !cancelReachesAll {
			return
		}
		require.NoError(t, board.Listener.(*net.TCPListener).SetDeadline(time.Now().Add(100*time.Millisecond)))
		if call, err := board.Accept(); err == nil {
			board.calls["detached"] = call
			_, _ = bufio.NewReader(call).ReadString('\n')
			board.gone(t, "detached")
		}
	})
}

// The system ties the child's life to the thread that has started it; that must
// not be a thread of the caller.
func TestThreadOfTheCallerEnds(t *testing.T) {
	board := newSwitchboard(t)
	started := make(chan *proc.Process)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		p, err := proc.Start(context.Background(), role("sleeper", board.env(), "PROC_TEST_NAME=child"))
		if err != nil {
			panic(err)
		}
		started <- p
	}()
	p := <-started
	board.await(t, "child")
	for range 10 { // other threads come and go
		done := make(chan struct{})
		go func() { runtime.LockOSThread(); close(done) }()
		<-done
	}
	board.lives(t, "child")
	board.calls["child"].Close()
	_, err := p.Wait()
	require.NoError(t, err)
}

// kill -9 of the program that owns a tree.
func TestOwnerIsKilled(t *testing.T) {
	for _, c := range []struct {
		role string
		gone []string
	}{
		{"owner", gonePlain},
		{"guarded owner", goneGuarded},
	} {
		t.Run(c.role, func(t *testing.T) {
			board := newSwitchboard(t)
			owner := exec.Command(self())
			owner.Env = append(os.Environ(), "PROC_TEST_ROLE="+c.role, board.env())
			require.NoError(t, owner.Start())
			board.await(t, whole...)
			require.NoError(t, owner.Process.Kill())
			require.Error(t, owner.Wait())
			board.gone(t, c.gone...)
		})
	}
}

func BenchmarkRun(b *testing.B) {
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"exec", func() error {
			cmd := exec.Command(self())
			cmd.Env = append(os.Environ(), "PROC_TEST_ROLE=pwd")
			return cmd.Run()
		}},
		{"proc", func() error { _, err := proc.Run(context.Background(), role("pwd")); return err }},
		{"guarded", func() error {
			c := role("pwd")
			c.Guardian = guardian
			_, err := proc.Run(context.Background(), c)
			return err
		}},
		{"exit-5", func() error {
			if _, err := proc.Run(context.Background(), role("fail")); err == nil {
				return errors.New("no error")
			}
			return nil
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
