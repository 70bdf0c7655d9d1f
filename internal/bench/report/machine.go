package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// machine says where and when, in lines that benchstat reads. dir is where the files are written.
func machine(dir string) []string {
	about := []string{
		"date: " + time.Now().UTC().Format("2006-01-02 15:04 UTC"),
		"commit: " + output("git", "describe", "--always", "--dirty", "--exclude=*"),
		"goos: " + runtime.GOOS,
		"goarch: " + runtime.GOARCH,
		"go: " + runtime.Version(),
		"python: " + strings.TrimPrefix(output("python3", "--version"), "Python "),
		fmt.Sprintf("cores: %d", runtime.NumCPU()),
	}
	if m := regexp.MustCompile(`(?m)^model name\s*: (.*)$`).FindStringSubmatch(content("/proc/cpuinfo")); m != nil {
		about = append(about, "cpu: "+m[1])
	}
	if kernel := content("/proc/sys/kernel/osrelease"); kernel != "" {
		about = append(about, "kernel: "+strings.TrimSpace(kernel))
	}
	if load, _, ok := strings.Cut(content("/proc/loadavg"), " "); ok {
		about = append(about, "load: "+load)
	}
	if kind := fileSystem(dir); kind != "" {
		about = append(about, "filesystem: "+kind)
	}
	return about
}

// fileSystem finds the type of the mount that dir lies in.
func fileSystem(dir string) string {
	best, kind := "", ""
	for line := range strings.Lines(content("/proc/mounts")) {
		if f := strings.Fields(line); len(f) > 2 && len(f[1]) >= len(best) && strings.HasPrefix(dir+"/", strings.TrimSuffix(f[1], "/")+"/") {
			best, kind = f[1], f[2]
		}
	}
	return kind
}

func content(name string) string {
	b, _ := os.ReadFile(name) // what is not known is left out
	return string(b)
}

func output(name string, args ...string) string {
	b, err := exec.Command(name, args...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}
