package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/lane"
)

func with(python string, versions ...string) installation {
	i := installation{Python: python, Virtual: true, Versions: map[string]*string{}}
	for _, v := range versions {
		name, version, _ := strings.Cut(v, "=")
		i.Versions[name] = &version
	}
	return i
}

func TestNeMoRules(t *testing.T) {
	const nemo3, torch, lhotse = "nemo_toolkit=3.0.0", "torch=2.15.0+cu132", "lhotse=1.33.0"
	for name, c := range map[string]struct {
		here    installation
		windows bool
		rules   []string
		worst   status
	}{
		"measured":       {here: with("3.11.7", nemo3, torch, lhotse, "numpy=2.4.6"), worst: ok},
		"measured, 2.4":  {here: with("3.11.7", "nemo_toolkit=2.4.1", torch, lhotse, "numpy=2.4.6"), rules: []string{"nemo-numpy-2"}, worst: warning},
		"on Windows":     {here: with("3.12.1", nemo3, torch, lhotse), windows: true, rules: []string{"nemo-windows"}, worst: ok},
		"SIGKILL":        {here: with("3.10.1", "nemo_toolkit=2.2.1", "torch=2.5", lhotse), windows: true, rules: []string{"nemo-windows-sigkill", "nemo-untested", "nemo-windows"}, worst: problem},
		"not on Linux":   {here: with("3.10.1", "nemo_toolkit=2.2.1", "torch=2.5", lhotse), rules: []string{"nemo-untested"}, worst: warning},
		"sampler":        {here: with("3.12.1", "nemo_toolkit=2.6.1", "torch=2.10.0", "lhotse=1.32.1"), rules: []string{"lhotse-torch-sampler"}, worst: problem},
		"sampler, later": {here: with("3.12.1", "nemo_toolkit=2.6.1", "torch=2.9.1", "lhotse=1.31.1"), rules: []string{"lhotse-old"}, worst: warning},
		"3.0 on old":     {here: with("3.12.1", nemo3, "torch=2.5.1", "lhotse=1.32.2"), rules: []string{"nemo-3-lhotse", "nemo-3-torch"}, worst: problem},
		"dataclasses":    {here: with("3.11.0", "nemo_toolkit=1.19.1", "torch=2.1", "lhotse=1.32.2"), rules: []string{"nemo-1.19-python-3.11", "nemo-untested"}, worst: problem},
		"old Python":     {here: with("3.9.18", nemo3, torch, lhotse), rules: []string{"python-too-old"}, worst: problem},
		"nothing there":  {here: with("3.11.0"), worst: problem},
		"candidate":      {here: with("3.11.7", "nemo_toolkit=2.6.0rc0", torch, lhotse, "numpy=1.26.4"), worst: ok},
	} {
		t.Run(name, func(t *testing.T) {
			var fired []string
			worst := ok
			for _, f := range nemoFindings(c.here, c.windows) {
				if detail, isRule := f.Detail.(map[string]string); isRule {
					fired = append(fired, detail["rule"])
					require.Contains(t, f.Text, "["+detail["rule"]+"]", "the rule that fired is named")
					require.NotContains(t, f.Text, "%[", f.Text)
				}
				switch {
				case f.Status == problem || f.Status == warning:
					require.NotEmpty(t, f.Do)
					if worst != problem {
						worst = f.Status
					}
				}
			}
			require.Equal(t, c.rules, fired)
			require.Equal(t, c.worst, worst)
		})
	}
}

func TestNumbers(t *testing.T) {
	for version, want := range map[string][]int{
		"2.15.0+cu132": {2, 15}, "2.6.0rc0": {2, 6}, "3": {3}, "1.32.2": {1, 32, 2}, "2.10": {2, 10}, "": nil, "junk": nil, "1.2.dev3": {1, 2},
	} {
		require.Equal(t, want, numbers(version), version)
	}
	require.False(t, with("3.10").is("python", "<", "3.10"))
	require.True(t, with("3.9.18").is("python", "<", "3.10"), "numbers, not text")
}

// A real Python reads real records: one package is there, one is damaged.
func TestNeMoByARealPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		lane.Missing(t, "python", "no python3 on the PATH")
	}
	p := newPatient(t)
	venv := filepath.Join(p.base, "venv")
	if out, err := exec.Command(python, "-m", "venv", "--without-pip", venv).CombinedOutput(); err != nil {
		lane.Missing(t, "python", "python3 cannot make an environment: "+string(out))
	}
	site, err := filepath.Glob(filepath.Join(venv, "lib", "python3*", "site-packages"))
	require.NoError(t, err)
	require.Len(t, site, 1)
	record := func(name, version string) {
		dir := filepath.Join(site[0], name+"-"+version+".dist-info")
		require.NoError(t, os.MkdirAll(dir, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "METADATA"), []byte("Metadata-Version: 2.1\nName: "+name+"\nVersion: "+version+"\n"), 0o600))
	}
	record("nemo_toolkit", "3.0.0")
	record("torch", "2.15.0")
	record("lhotse", "1.33.0")
	p.d.python = filepath.Join(venv, "bin", "python")
	p.d.machine.run = thisMachine(nil).run
	all, _, _ := p.examine()
	f := find(t, all, "NeMo")
	require.Equal(t, ok, f.Status, f)
	require.Contains(t, f.Text, "NeMo 3.0.0 with torch 2.15.0, lhotse 1.33.0, Python 3.")

	require.NoError(t, os.Truncate(filepath.Join(site[0], "torch-2.15.0.dist-info", "METADATA"), 0))
	all, _, sick := p.examine()
	require.True(t, sick)
	require.Contains(t, find(t, all, "NeMo").Text, "the installation of torch is damaged")

	p.d.python = filepath.Join(venv, "bin", "no-such")
	all, _, sick = p.examine()
	require.True(t, sick)
	require.Contains(t, find(t, all, "NeMo").Text, "does not run")
}

// A bare pip may be that of another Python.
func TestRemediesNameThePython(t *testing.T) {
	p := newPatient(t)
	p.d.python = "/x/python"
	p.d.machine.run = func(context.Context, string, ...string) (string, error) {
		return `holdfast-doctor: {"python": "3.12.1", "virtual": true, "versions": {}}`, nil
	}
	all, _, sick := p.examine()
	require.True(t, sick)
	require.Equal(t, "/x/python -m pip install 'nemo_toolkit[asr]'", find(t, all, "NeMo").Do)
}

func TestPythonThatSaysSomethingElse(t *testing.T) {
	p := newPatient(t)
	p.d.python = "/x/talker"
	p.programs["talker"] = "Welcome to the other python\n"
	all, _, sick := p.examine()
	require.True(t, sick)
	require.Contains(t, find(t, all, "NeMo").Text, "does not answer as Python does; it said: Welcome")
}
