package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// programs are what the benchmarks run in: the test program for this system, and the one for Windows with what runs it.
type programs struct {
	here, windows []string
	env           []string
}

// measure goes round all sections that match, several times: a noisy minute then meets all of them.
func measure(ctx context.Context, rounds int, pattern *regexp.Regexp, wine string) (results, error) {
	dir, err := os.MkdirTemp("", "hf-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	p, err := build(ctx, dir, wine)
	if err != nil {
		return nil, err
	}
	chosen := slices.DeleteFunc(sections(), func(s section) bool {
		return !pattern.MatchString(s.name) || s.windows && p.windows == nil
	})
	all := make(results, len(chosen))
	for i, s := range chosen {
		all[i] = sectionResult{section: s.name, about: append(machine(dir), "rounds: "+fmt.Sprint(max(1, s.rounds)))}
		if s.rounds == 0 {
			all[i].about[len(all[i].about)-1] = "rounds: " + fmt.Sprint(rounds)
		}
	}
	for round := range rounds {
		for i, s := range chosen {
			if s.rounds > 0 && round >= s.rounds {
				continue
			}
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, rounds, s.name)
			lines, err := p.measure(ctx, s)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			all[i].lines = append(all[i].lines, lines...)
		}
	}
	return all, nil
}

func (p programs) measure(ctx context.Context, s section) ([]string, error) {
	argv := append(slices.Clone(p.here), s.args...)
	if s.windows {
		argv = append(slices.Clone(p.windows), s.args...)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, os.Stderr), os.Stderr
	cmd.Env = append(os.Environ(), append(p.env, "HOLDFAST_BENCH_LOCKS=1")...)
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(out.String()) {
		if fields := strings.Fields(line); len(fields) >= 4 && strings.HasPrefix(line, "Benchmark") {
			lines = append(lines, strings.Join(fields, " "))
		}
	}
	return lines, nil
}

func build(ctx context.Context, dir, wine string) (programs, error) {
	p := programs{here: []string{filepath.Join(dir, "bench.exe")}}
	if err := compile(ctx, p.here[0]); err != nil {
		return p, err
	}
	switch wrapper := findWine(wine); {
	case runtime.GOOS == "windows":
		p.windows = p.here
	case wrapper == "":
		fmt.Fprintln(os.Stderr, "report: no Wine (.ci/wine.sh 10 DIR, then -windows DIR/go_windows_amd64_exec): nothing is measured there")
	default:
		p.windows = []string{wrapper, filepath.Join(dir, "windows.exe")}
		if err := compile(ctx, p.windows[1], "GOOS=windows", "CGO_ENABLED=0"); err != nil {
			return p, err
		}
	}
	python, err := pythonWithOrjson(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "report: no orjson, so it is not measured:", err)
	} else {
		p.env = append(p.env, "HOLDFAST_BENCH_PYTHON="+python)
	}
	return p, nil
}

func compile(ctx context.Context, out string, env ...string) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", out, ".")
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
	return cmd.Run()
}

func findWine(given string) string {
	if given != "" {
		return given
	}
	const name = "go_windows_amd64_exec"
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	found, _ := filepath.Glob(filepath.Join(cache, "holdfast-ci", "wine10-*", name))
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

func pythonWithOrjson(ctx context.Context) (string, error) {
	const pinned = "orjson==3.13.0"
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "holdfast-bench", pinned)
	python := filepath.Join(dir, "bin", "python")
	if runtime.GOOS == "windows" {
		python = filepath.Join(dir, "Scripts", "python.exe")
	}
	if exec.CommandContext(ctx, python, "-c", "import orjson").Run() == nil {
		return python, nil
	}
	if out, err := exec.CommandContext(ctx, "python3", "-m", "venv", dir).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	out, err := exec.CommandContext(ctx, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", pinned).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return python, nil
}
