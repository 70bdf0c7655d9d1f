package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// layers says what a package may import of ours outside its tests. A package
// that is not here may import nothing of ours and be imported by nobody.
func layers() map[string][]string {
	adapter := []string{
		"asr", "manifest", "retry", "tempdir", "internal/audio", "internal/jsonl", "internal/proc",
	}
	example := []string{
		"retry", "retry/locktest", "tempdir", "manifest", "asr", "asr/subtitle", "asr/nemo", "asr/whispercpp",
		"asr/asrtest", "asr/jetstream", "examples/internal",
	}
	return map[string][]string{
		".":                      {},
		"retry":                  {"internal/sysfs"},
		"retry/locktest":         {"retry"},
		"tempdir":                {"retry", "internal/host"},
		"manifest":               {"retry", "internal/jsonl"},
		"asr":                    {"retry", "tempdir", "manifest", "internal/audio"},
		"asr/subtitle":           {"asr"},
		"asr/nemo":               adapter,
		"asr/whispercpp":         append(slices.Clone(adapter), "internal/ggml"),
		"asr/asrtest":            {"asr", "manifest", "retry", "tempdir"},
		"asr/corpus":             {}, // tests only
		"asr/jetstream":          {"asr", "manifest", "retry", "tempdir", "internal/host"},
		"internal/archtest":      {},
		"internal/audio":         {"retry", "internal/proc"},
		"internal/ggml":          {},
		"internal/ggml/scripted": {"internal/ggml"},
		"internal/host":          {},
		"internal/jsonl":         {},
		"internal/lane":          {},
		"internal/proc":          {},
		"internal/sysfs":         {},
		// Only what any importer can do: examples use no internal package but their own.
		"examples":          example,
		"examples/internal": example,
		"internal/bench":    {"retry", "retry/locktest", "tempdir", "manifest", "asr"},
	}
}

// forTests may be imported by every test, and by no other file that layers
// does not allow it.
func forTests() []string {
	return []string{"retry/locktest", "asr/asrtest", "internal/lane", "internal/proc", "internal/ggml/scripted"}
}

// checkLayers keeps the data flowing one way: no package calls back up.
func checkLayers(all tree) []string {
	except := exceptions{
		"examples/doctor/machine.go": "asks programs that may hang; they die with it",
		"examples/doctor/main.go":    "is such a program's guardian",
	}
	findings := map[string][]string{}
	table := layers()
	for dir, files := range all.packages() {
		allowed, ok := table[layerOf(dir)]
		if !ok && !strings.HasPrefix(dir, ".ci") && !strings.HasPrefix(dir, "internal/tools") {
			findings[dir] = append(findings[dir], dir+": has no line in the table of layers")
		}
		for _, s := range files {
			for name, node := range s.imports() {
				ours, isOurs := strings.CutPrefix(name, module)
				ours = layerOf(strings.TrimPrefix(ours, "/"))
				switch {
				case !isOurs || ours == layerOf(dir) || slices.Contains(allowed, ours):
				case s.isTest() && (slices.Contains(forTests(), ours) || mayTest(table, allowed, ours)):
				default:
					findings[s.path] = append(findings[s.path], fmt.Sprintf("%s%s may not import %s", s.at(node), dir, ours))
				}
			}
		}
	}
	return except.apply(findings, all)
}

// mayTest lets a test import what the packages below it do, and a test from
// outside, such as an example, the public packages.
func mayTest(table map[string][]string, allowed []string, name string) bool {
	if !strings.HasPrefix(name, "internal/") && !strings.HasPrefix(name, "examples") {
		return true
	}
	return slices.ContainsFunc(allowed, func(below string) bool { return slices.Contains(table[below], name) })
}

// layerOf gives the folder that stands in the table for dir.
func layerOf(dir string) string {
	for _, whole := range []string{"examples/internal", "examples", "internal/bench", "asr/jetstream"} {
		if strings.HasPrefix(dir+"/", whole+"/") {
			return whole
		}
	}
	if dir == "" {
		return "."
	}
	return dir
}

// modulesOf says which packages may use which foreign module outside tests:
// the fewer, the easier one is replaced.
func modulesOf() map[string][]string {
	return map[string][]string{
		"github.com/avast/retry-go/v4":       {"retry"},
		"github.com/go-audio/audio":          {"internal/audio"},
		"github.com/go-audio/wav":            {"internal/audio"},
		"github.com/fsnotify/fsnotify":       {"examples"},
		"github.com/hashicorp/go-multierror": {"tempdir", "manifest", "asr", "asr/jetstream"},
		"golang.org/x/sys":                   {"internal/sysfs", "internal/host", "internal/proc", "examples"},
		"golang.org/x/sync":                  {"asr/jetstream"},
		"github.com/nats-io/nats.go":         {"asr/jetstream", "examples"},
		"github.com/nats-io/nats-server/v2":  {"asr/jetstream", "examples"},
		"github.com/nats-io/nkeys":           {"asr/jetstream", "examples"},
	}
}

// checkModules also keeps testify in tests, and public packages for tests to
// the standard library.
func checkModules(all tree) []string {
	var out []string
	table := modulesOf()
	for _, s := range all.code(false) {
		layer := layerOf(s.dir())
		if layer == "internal/bench" || strings.HasPrefix(s.path, ".ci/") || strings.HasPrefix(s.path, "internal/tools/") {
			continue // modules of their own, or none
		}
		for name, node := range s.imports() {
			if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") || strings.HasPrefix(name, module) {
				continue
			}
			found := ""
			for m := range table {
				if name == m || strings.HasPrefix(name, m+"/") {
					found = m
				}
			}
			switch {
			case layer == "retry/locktest" || layer == "asr/asrtest":
				out = append(out, fmt.Sprintf("%sa package for tests imports %s: the standard library only", s.at(node), name))
			case !slices.Contains(table[found], layer):
				out = append(out, fmt.Sprintf("%s%s may not import %s", s.at(node), s.dir(), name))
			}
		}
	}
	return out
}
