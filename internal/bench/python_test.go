package bench

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

//go:embed peers.py
var peers string

// python is a Python process that does a job as often as it is asked to, so that its start is not measured.
type python struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

// manifestPython gives a Python for peers.py, or skips the benchmark. HOLDFAST_BENCH_PYTHON names one that has orjson.
func manifestPython(b *testing.B) string {
	name := os.Getenv("HOLDFAST_BENCH_PYTHON")
	if name == "" {
		name = "python3"
	}
	exe, err := exec.LookPath(name)
	if err != nil {
		b.Skip("there is no Python to compare with: ", err)
	}
	return exe
}

// startPython starts a script, and skips the benchmark where it says that a package is missing.
func startPython(b *testing.B, exe, script string, args ...string) *python {
	p := &python{cmd: exec.Command(exe, append([]string{"-c", script}, args...)...)}
	p.cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "OMP_NUM_THREADS=1")
	p.cmd.Stderr = os.Stderr
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	p.lines = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.stop)
	answer, err := p.answer()
	if err != nil {
		b.Fatal(err)
	}
	if missing, ok := strings.CutPrefix(answer, "missing: "); ok {
		b.Skip("Python lacks ", missing)
	}
	return p
}

func (p *python) stop() {
	p.stdin.Close()
	_ = p.cmd.Wait()
}

func (p *python) do(n int) error {
	if _, err := fmt.Fprintln(p.stdin, n); err != nil {
		return err
	}
	_, err := p.answer()
	return err
}

func (p *python) answer() (string, error) {
	if !p.lines.Scan() {
		return "", fmt.Errorf("python ended: %w", p.cmd.Wait())
	}
	return p.lines.Text(), nil
}
