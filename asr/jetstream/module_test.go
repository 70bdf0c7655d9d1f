package jetstream_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A program that wants a retry loop gets no message server into its list of
// modules.
func TestNobodyElsePays(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod": "module example.com/user\n\ngo 1.26.0\n\nrequire github.com/holdfast-go/holdfast v0.0.0\n\n" +
			"replace github.com/holdfast-go/holdfast => " + filepath.ToSlash(root) + "\n",
		"go.sum":  string(sums),
		"main.go": "package main\n\nimport _ \"github.com/holdfast-go/holdfast/retry\"\n\nfunc main() {}\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command on the PATH: ", err)
	}
	cmd := exec.Command(goTool, "list", "-mod=mod", "-m", "all")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "github.com/avast/retry-go")
	require.NotContains(t, string(out), "nats")
	require.NotContains(t, string(out), "jetstream")
}
