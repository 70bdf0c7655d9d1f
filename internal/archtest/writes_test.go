package archtest

import (
	"go/ast"
	"slices"
	"strings"
)

// writers are the functions of os that make, change or remove a file.
func writers() []string {
	return []string{
		"Chmod", "Chown", "Chtimes", "CopyFS", "Create", "CreateTemp", "Lchown", "Link", "Mkdir", "MkdirAll", "MkdirTemp",
		"OpenFile", "OpenInRoot", "OpenRoot", "Remove", "RemoveAll", "Rename", "Symlink", "Truncate", "WriteFile",
	}
}

// checkWrites keeps every change of a file inside internal/sysfs, where retry
// sees each attempt.
func checkWrites(all tree) []string {
	except := exceptions{
		"retry/locktest/crash.go":      "removes its own folder of a crash state, whatever retry.FS is under test",
		"retry/locktest/crashstate.go": "builds what a disk holds after a power cut, which no operation of retry.FS could make",
		"retry/locktest/sim.go":        "ends a pending deletion, as the kernel does: beneath the simulated rules",
		"retry/locktest/tempdir.go":    "makes the folder that the simulation is about",
		"examples/lockstorm/work.go":   "makes the folder for the storm before there is one",
	}
	findings := map[string][]string{}
	for _, s := range all.code(false) {
		if s.dir() == "internal/sysfs" || strings.HasPrefix(s.path, ".ci/") || strings.HasPrefix(s.path, "internal/bench/") {
			continue // the bench module calls what others do
		}
		for _, pkg := range []string{"os", "io/ioutil", "syscall"} {
			s.selectors(pkg, func(name string, n ast.Node) {
				if slices.Contains(writers(), name) {
					findings[s.path] = append(findings[s.path],
						s.at(n)+pkg+"."+name+" writes past package retry: use retry.FS, or tempdir for a temporary file")
				}
			})
		}
	}
	return except.apply(findings, all)
}
