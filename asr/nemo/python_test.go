package nemo_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/lane"
)

// worker.py has tests of its own, which need nothing but Python.
func TestPython(t *testing.T) {
	cmd := exec.Command(lane.Python(t), "-m", "unittest", "--quiet", "test_worker")
	cmd.Dir = absolute(t, "testdata")
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
