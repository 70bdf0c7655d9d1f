package tempdir_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// childVariable makes the test binary play a child process.
const childVariable = "TEMPDIR_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childVariable) {
	case "":
		os.Exit(m.Run())
	case "hold":
		childHolds()
	case "from-env":
		childFromEnv()
	}
}

// childHolds makes a scope with a file in it, says where, and waits to be
// killed, or for the end of its input.
func childHolds() {
	ctx := context.Background()
	root, err := tempdir.Open(ctx, os.Args[1], tempdir.Options{})
	exitOn(err)
	scope, err := root.NewScope(ctx, "child")
	exitOn(err)
	exitOn(os.WriteFile(scope.Path("big.wav"), []byte("audio"), 0o600))
	fmt.Println(scope.Path())
	io.Copy(io.Discard, os.Stdin)
}

// childFromEnv opens the parent's root as a child is meant to.
func childFromEnv() {
	root, err := tempdir.FromEnv(context.Background(), tempdir.Options{})
	exitOn(err)
	fmt.Println(root.Path())
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(mode string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), childVariable+"="+mode)
	return cmd
}

// startHolder starts a process that holds a scope of the root, and gives the
// scope's path.
func startHolder(t *testing.T, root string) (cmd *exec.Cmd, scope string) {
	t.Helper()
	cmd = child("hold", root)
	cmd.Stderr = os.Stderr
	_, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return cmd, line[:len(line)-1]
}

// shortDir is t.TempDir without the test's name, which can make the path longer
// than a root's may be.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { retry.FS{}.RemoveAll(context.Background(), dir) })
	return dir
}

func openRoot(t *testing.T) *tempdir.Root {
	t.Helper()
	root, err := tempdir.Open(t.Context(), shortDir(t), tempdir.Options{})
	require.NoError(t, err)
	return root
}

func newScope(t *testing.T, root *tempdir.Root) *tempdir.Scope {
	t.Helper()
	scope, err := root.NewScope(t.Context(), t.Name())
	require.NoError(t, err)
	t.Cleanup(func() { scope.Close() })
	return scope
}
