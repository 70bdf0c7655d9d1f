package archtest

import (
	"fmt"
	"go/ast"
	"slices"
)

// checkImports: a name tells where it comes from, and nobody needs a C compiler.
func checkImports(all tree) []string {
	var out []string
	for _, s := range all {
		if !s.isGo() {
			continue
		}
		for _, spec := range s.syntax.Imports {
			switch {
			case spec.Name != nil && spec.Name.Name == ".":
				out = append(out, s.at(spec)+"imports without a name: nobody sees what is called, and neither do these rules")
			case spec.Path.Value == `"C"`:
				out = append(out, s.at(spec)+"needs a C compiler: let another process do that")
			}
		}
	}
	return out
}

// checkContext: what may wait takes its context first.
func checkContext(all tree) []string {
	var out []string
	for _, s := range all.code(false) {
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			f, ok := n.(*ast.FuncType)
			if !ok {
				return true
			}
			for i, field := range f.Params.List {
				if i > 0 && isSelector(field.Type, "context", "Context") {
					out = append(out, s.at(field)+"the context is not the first parameter")
				}
			}
			return true
		})
	}
	return out
}

// checkProcesses: a process that internal/proc starts dies with ours, and so
// does all that it starts.
func checkProcesses(all tree) []string {
	except := exceptions{
		"asr/asrtest/processes_other.go":      "asks ps, in a test; a package for tests imports nothing of ours but the public packages",
		"retry/locktest/hold.go":              "a test's own program again, which ends with its input",
		"examples/lockstorm/storm_windows.go": "the program itself again, which ends with its input",
		"internal/lane/nemo.go":               "asks a Python for its version, in a test",
	}
	findings := map[string][]string{}
	for _, s := range all.code(false) {
		if s.dir() == "internal/proc" || layerOf(s.dir()) == "internal/bench" {
			continue
		}
		for pkg, names := range map[string][]string{
			"os/exec": {"Command", "CommandContext", "Cmd"}, "os": {"StartProcess"}, "syscall": {"StartProcess", "ForkExec", "Exec"},
		} {
			s.selectors(pkg, func(name string, n ast.Node) {
				if slices.Contains(names, name) {
					findings[s.path] = append(findings[s.path], s.at(n)+"starts a process that may outlive us: use internal/proc")
				}
			})
		}
	}
	return except.apply(findings, all)
}

// checkLogs: a library says nothing unless it is given a logger.
func checkLogs(all tree) []string {
	var out []string
	for _, s := range all.code(false) {
		if s.syntax.Name.Name == "main" {
			continue
		}
		for pkg, names := range map[string][]string{
			"log":      {"Print", "Printf", "Println", "Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln", "Default", "Output"},
			"log/slog": {"Default", "SetDefault", "Log", "Debug", "DebugContext", "Info", "InfoContext", "Warn", "WarnContext", "Error", "ErrorContext"},
		} {
			s.selectors(pkg, func(name string, n ast.Node) {
				if slices.Contains(names, name) {
					out = append(out, fmt.Sprintf("%s%s.%s writes to everybody's log: take a *slog.Logger, nil for silence", s.at(n), pkg, name))
				}
			})
		}
	}
	return out
}
