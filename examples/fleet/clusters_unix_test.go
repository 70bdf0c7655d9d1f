//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/ggml/scripted"
	"github.com/holdfast-go/holdfast/manifest"
)

// recipe gives the first code block of docs/clusters.md that contains a text.
func recipe(t *testing.T, contains string) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/clusters.md")
	require.NoError(t, err)
	for n, block := range strings.Split(string(b), "```") {
		if n%2 == 1 && strings.Contains(block, contains) {
			_, code, _ := strings.Cut(block, "\n")
			return code
		}
	}
	t.Fatalf("no recipe with %q", contains)
	return ""
}

// podScript gives the script in a pod's command.
func podScript(t *testing.T, yaml string) string {
	t.Helper()
	_, rest, ok := strings.Cut(yaml, "            - |\n")
	require.True(t, ok)
	var script strings.Builder
	for line := range strings.Lines(rest) {
		text, ok := strings.CutPrefix(line, "              ")
		if !ok {
			break
		}
		script.WriteString(text)
	}
	return script.String()
}

// cluster is a folder that every task sees, with the programs on its PATH.
type cluster struct {
	*desk
	env []string
}

func newCluster(t *testing.T, recordings int) *cluster {
	t.Helper()
	c := &cluster{desk: newDesk(t, 0)}
	bin := filepath.Join(c.base, "bin")
	for _, dir := range []string{bin, filepath.Join(c.base, "recordings"), filepath.Join(c.base, "scratch")} {
		require.NoError(t, os.MkdirAll(dir, 0o700))
	}
	for n := range recordings {
		require.NoError(t, os.WriteFile(filepath.Join(c.base, "recordings", fmt.Sprintf("%02d.wav", n)), wav(n), 0o600))
	}
	out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "transcribe"), "../transcribe").CombinedOutput()
	require.NoError(t, err, string(out))
	for name, variable := range map[string]string{"fleet": playVariable, "whisper-cli": whisperVariable} {
		self := fmt.Sprintf("#!/bin/sh\n%s=1 exec '%s' \"$@\"\n", variable, os.Args[0])
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte(self), 0o700))
	}
	var model bytes.Buffer
	require.NoError(t, scripted.Write(&model, scripted.Script{}))
	require.NoError(t, os.WriteFile(filepath.Join(c.base, "model.bin"), model.Bytes(), 0o600))
	c.env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "USER=u", "WHISPER="+filepath.Join(bin, "whisper-cli"),
		"MODEL="+filepath.Join(c.base, "model.bin"), "SCRATCH="+filepath.Join(c.base, "scratch"), "SLURM_TMPDIR="+filepath.Join(c.base, "scratch"))
	return c
}

func (c *cluster) command(shell, script string, env ...string) *exec.Cmd {
	cmd := exec.Command(shell, "-c", script)
	cmd.Dir, cmd.Env = c.base, append(c.env, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// The documented recipes, each task as a process. One of them is killed, and
// started again as the scheduler would.
func TestClusterRecipes(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts programs by the hundred")
	}
	const recordings, shards = 40, 8
	for name, r := range map[string]struct{ shell, script, index string }{
		"Slurm":      {"bash", recipe(t, "#SBATCH"), "SLURM_ARRAY_TASK_ID"},
		"Kubernetes": {"sh", podScript(t, recipe(t, "completionMode: Indexed")), "JOB_COMPLETION_INDEX"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(r.shell); err != nil {
				t.Skip(err)
			}
			c := newCluster(t, recordings)
			out, err := c.command("sh", fmt.Sprintf("fleet split -n %d -out shards recordings/", shards)).CombinedOutput()
			require.NoError(t, err, string(out))
			task := func(k int) *exec.Cmd { return c.command(r.shell, r.script, fmt.Sprintf("%s=%d", r.index, k)) }

			victim := task(0)
			var said bytes.Buffer
			victim.Stdout, victim.Stderr = &said, &said
			require.NoError(t, victim.Start())
			alive, ended := context.WithCancel(t.Context())
			go func() {
				_ = victim.Wait()
				ended()
			}()
			journal := filepath.Join(c.base, "shards/0/journal.jsonl")
			for range manifest.Follow(alive, journal, manifest.Options{}) {
				break // it has done something, or ended
			}
			_ = syscall.Kill(-victim.Process.Pid, syscall.SIGKILL)
			<-alive.Done()
			require.Positive(t, countLines(journal), said.String())

			for k := range shards {
				out, err := task(k).CombinedOutput()
				require.NoError(t, err, string(out))
				require.Equal(t, recordings/shards, countLines(filepath.Join(c.base, fmt.Sprintf("shards/%d/journal.jsonl", k))))
			}
			out, err = c.command("sh", "set -e\n"+recipe(t, "fleet merge")).CombinedOutput()
			require.NoError(t, err, string(out))
			require.Contains(t, string(out), fmt.Sprintf("journal.jsonl: %d transcripts", recordings))
			require.Contains(t, string(out), fmt.Sprintf("resumed: %d of %d", recordings, recordings), "nothing is done twice")
			for n := range recordings {
				text, err := os.ReadFile(filepath.Join(c.base, fmt.Sprintf("transcripts/%02d.txt", n)))
				require.NoError(t, err)
				require.Equal(t, fmt.Sprintf("number %d\n", n), string(text))
			}
		})
	}
}

func countLines(path string) int {
	b, _ := os.ReadFile(path)
	return bytes.Count(b, []byte("\n"))
}
