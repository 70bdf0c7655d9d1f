package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// A rule gives one line for each place that breaks it.
type rule struct {
	name  string
	check func(tree) []string
}

func rules() []rule {
	return []rule{
		{"layers", checkLayers},
		{"modules", checkModules},
		{"imports", checkImports},
		{"writes", checkWrites},
		{"processes", checkProcesses},
		{"context", checkContext},
		{"logs", checkLogs},
		{"systems", checkSystems},
		{"documented", checkDocumented},
		{"sleep", checkSleep},
		{"init", checkInit},
		{"globals", checkGlobals},
		{"names", checkNames},
		{"size", checkSize},
		{"gomod", checkGoMod},
		{"seeds", checkSeeds},
		{"examples", checkExamples},
		{"places", checkPlaces},
		{"links", checkLinks},
		{"screen", checkScreen},
	}
}

func TestRules(t *testing.T) {
	files := repository(t)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			require.Empty(t, strings.Join(r.check(files), "\n"))
		})
	}
}

// Each rule finds what is wrong in the tree of testdata/rules that has its
// name, and nothing else.
func TestRulesFindWhatBreaksThem(t *testing.T) {
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			files := unpack(t, filepath.Join("testdata", "rules", r.name+".txt"))
			want := strings.Split(strings.TrimSpace(string(files["want"].Data)), "\n")
			delete(files, "want")
			got := r.check(readTree(t, files))
			slices.Sort(got)
			slices.Sort(want)
			require.Equal(t, strings.Join(want, "\n"), strings.Join(got, "\n"))
		})
	}
}

// unpack reads a file of sections, each headed by "-- name --".
func unpack(t *testing.T, name string) fstest.MapFS {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	files := fstest.MapFS{}
	var current *fstest.MapFile
	for line := range strings.Lines(strings.ReplaceAll(string(b), "\r\n", "\n")) {
		if section, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok {
			current = &fstest.MapFile{Mode: fs.FileMode(0o600)}
			files[strings.TrimSuffix(section, " --")] = current
		} else {
			require.NotNil(t, current, "text before the first section")
			current.Data = append(current.Data, line...)
		}
	}
	require.Contains(t, files, "want")
	return files
}

// exceptions are places that a rule does not hold for, each with its reason.
// One that is not needed any more is itself a finding.
type exceptions map[string]string

func (e exceptions) apply(findings map[string][]string, all tree) []string {
	var out []string
	for place, lines := range findings {
		if _, ok := e[place]; !ok {
			out = append(out, lines...)
		}
	}
	for place := range e {
		file, _, _ := strings.Cut(place, " ")
		there := slices.ContainsFunc(all, func(s source) bool { return s.path == file })
		if there && len(findings[place]) == 0 {
			out = append(out, place+": the exception is not needed any more")
		}
	}
	slices.Sort(out)
	return out
}
