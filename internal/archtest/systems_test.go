package archtest

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// checkSystems keeps differences between systems in the packages beneath:
// above them nobody asks runtime.GOOS, and no file is for one system only.
func checkSystems(all tree) []string {
	except := exceptions{
		"asr/asrtest/held_other.go":              "what an engine holds open is told by each system in its own way",
		"asr/asrtest/processes_linux.go":         "and so is what it leaves running; a package for tests imports nothing that knows",
		"asr/asrtest/processes_other.go":         "the same",
		"asr/asrtest/processes_windows.go":       "the same",
		"examples/doctor/machine_linux_amd64.go": "a doctor has to know the patient",
		"examples/doctor/machine_other.go":       "the same",
		"examples/doctor/machine_windows.go":     "the same",
		"examples/webui/disk_unix.go":            "no public package tells the free space of a disk",
		"examples/webui/disk_windows.go":         "the same",
		"retry/locktest/hold_windows.go":         "real share modes are there on Windows only",
		"retry/locktest/hold_other.go":           "says so elsewhere",
		"examples/lockstorm/storm_windows.go":    "shows the real locks of Windows",
		"examples/lockstorm/storm_other.go":      "shows the model of them elsewhere",
	}
	findings := map[string][]string{}
	for _, s := range all.code(false) {
		if slices.Contains([]string{"internal/sysfs", "internal/host", "internal/proc", ".ci"}, s.dir()) || layerOf(s.dir()) == "internal/bench" {
			continue
		}
		s.selectors("runtime", func(name string, n ast.Node) {
			if name == "GOOS" {
				findings[s.path] = append(findings[s.path], s.at(n)+"asks runtime.GOOS: let internal/sysfs, host or proc know the difference")
			}
		})
		if forOneSystem(s) {
			findings[s.path] = append(findings[s.path], s.path+":1: is for one system: such files belong to internal/sysfs, host and proc")
		}
	}
	return except.apply(findings, all)
}

func forOneSystem(s source) bool {
	const systems = `(aix|android|darwin|dragonfly|freebsd|illumos|ios|js|linux|netbsd|openbsd|plan9|solaris|unix|wasip1|windows)`
	name := strings.TrimSuffix(path.Base(s.path), ".go")
	if regexp.MustCompile(`_` + systems + `(_[a-z0-9]+)?$`).MatchString(name) {
		return true
	}
	constraint := regexp.MustCompile(`(?m)^//go:build .*\b` + systems + `\b`)
	return constraint.MatchString(s.text[:s.fset.Position(s.syntax.Package).Offset])
}
