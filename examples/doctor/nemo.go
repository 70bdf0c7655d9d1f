package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

//go:embed nemo.py
var nemoScript string

// installation is what a Python says about itself.
type installation struct {
	Python   string             `json:"python"`  // version
	Virtual  bool               `json:"virtual"` // an environment of its own
	Versions map[string]*string `json:"versions"`
}

// rule is a combination that is known to clash. What it says is from NeMo's
// and lhotse's issues and requirements.
type rule struct {
	name   string
	status status
	fires  func(i installation, windows bool) bool
	text   string // %[NAME] stands for the version of a package
	do     string
}

func nemoRules() []rule {
	return []rule{
		{"python-too-old", problem,
			func(i installation, _ bool) bool { return i.python("<", "3.10") },
			"Python %[python] is older than 3.10, which NeMo 2.4 and later need",
			"make a new environment with Python 3.10 to 3.12"},
		{"nemo-1.19-python-3.11", problem, // NVIDIA/NeMo #7002
			func(i installation, _ bool) bool { return i.is("nemo_toolkit", "<", "1.20") && i.python(">=", "3.11") },
			"NeMo %[nemo_toolkit] cannot be imported by Python %[python] (it says: mutable default … use default_factory)",
			"pip install -U 'nemo_toolkit[asr]'"},
		{"nemo-windows-sigkill", problem, // NVIDIA/NeMo #12614, #12858; mended by #11898
			func(i installation, windows bool) bool { return windows && i.is("nemo_toolkit", "<", "2.3") },
			"NeMo %[nemo_toolkit] cannot be imported on Windows, where signal.SIGKILL does not exist",
			"pip install -U 'nemo_toolkit[asr]' (2.3 or later)"},
		{"nemo-untested", warning,
			func(i installation, _ bool) bool {
				return i.is("nemo_toolkit", "<", "2.4") || i.is("nemo_toolkit", ">=", "4")
			},
			"NeMo %[nemo_toolkit] is not one of those that Holdfast was tried with (2.4 to 3.0)",
			"pip install 'nemo_toolkit[asr]>=2.4,<4'"},
		{"lhotse-torch-sampler", problem, // lhotse-speech/lhotse #1543
			func(i installation, _ bool) bool {
				return i.is("lhotse", "<", "1.32.2") && i.is("torch", ">=", "2.10")
			},
			"lhotse %[lhotse] fails with torch %[torch] (it says: object.__init__() takes exactly one argument)",
			"pip install -U 'lhotse>=1.32.2'"},
		{"lhotse-old", warning, // the same, for whoever updates torch next
			func(i installation, _ bool) bool {
				return i.is("lhotse", "<", "1.32.2") && i.is("torch", "<", "2.10")
			},
			"lhotse %[lhotse] works with torch %[torch], but will fail with torch 2.10 and later",
			"pip install -U 'lhotse>=1.32.2'"},
		{"nemo-3-lhotse", problem, // requirements of NeMo 3.0
			func(i installation, _ bool) bool {
				return i.is("nemo_toolkit", ">=", "3") && i.is("lhotse", "<", "1.33")
			},
			"NeMo %[nemo_toolkit] needs lhotse 1.33 or later, not %[lhotse]",
			"pip install -U 'lhotse>=1.33.0'"},
		{"nemo-3-torch", problem, // requirements of NeMo 3.0
			func(i installation, _ bool) bool {
				return i.is("nemo_toolkit", ">=", "3") && i.is("torch", "<", "2.6")
			},
			"NeMo %[nemo_toolkit] needs torch 2.6 or later, not %[torch]",
			"pip install -U 'torch>=2.6'"},
		{"nemo-numpy-2", warning, // NVIDIA/NeMo #14505: NeMo asked for numpy < 2 until 2.6.1
			func(i installation, _ bool) bool {
				return i.is("nemo_toolkit", "<", "2.6.1") && i.is("numpy", ">=", "2")
			},
			"NeMo %[nemo_toolkit] was made for numpy 1, and numpy %[numpy] is here; recognition itself was seen to work",
			"pip install 'numpy<2', or a NeMo of 2.6.1 or later"},
		{"not-virtual", warning, // its pins of transformers, protobuf and huggingface_hub clash with other programs'
			func(i installation, _ bool) bool { return !i.Virtual },
			"this Python is shared with other programs, whose packages clash with those that NeMo pins",
			"give NeMo an environment of its own: python -m venv DIR"},
		{"nemo-windows", note,
			func(_ installation, windows bool) bool { return windows },
			"NVIDIA does not support NeMo on Windows; Holdfast works round what is known to fail there",
			"if it fails all the same, run it under WSL 2"},
	}
}

// needed are the packages without which NeMo's recognition cannot be imported.
var needed = []string{"nemo_toolkit", "torch", "lhotse"}

func (d *doctor) examineNeMo(ctx context.Context) {
	d.doing("asking " + d.python)
	said, err := d.machine.run(ctx, d.python, "-I", "-c", nemoScript)
	d.doing("")
	here, parsed := parseInstallation(said)
	if err != nil || !parsed {
		text := d.python + " does not answer as Python does" + quoted(said)
		if err != nil {
			text = fmt.Sprintf("%s does not run: %v%s", d.python, err, quoted(said))
		}
		d.tell(finding{Check: "NeMo", Status: problem, Text: text, Do: "name the python of NeMo's environment by -python"})
		return
	}
	for _, f := range nemoFindings(here, d.machine.windows) {
		if args, pip := strings.CutPrefix(f.Do, "pip "); pip { // a bare pip may be that of another Python
			f.Do = d.python + " -m pip " + args
		}
		d.tell(f)
	}
}

// parseInstallation finds the script's one line among what else Python said.
func parseInstallation(said string) (here installation, found bool) {
	for line := range strings.Lines(said) {
		if text, ours := strings.CutPrefix(strings.TrimSpace(line), "holdfast-doctor: "); ours {
			return here, json.Unmarshal([]byte(text), &here) == nil
		}
	}
	return here, false
}

// nemoFindings judges an installation: what is missing, what is half there,
// and which rules fire.
func nemoFindings(here installation, windows bool) []finding {
	var all []finding
	for _, name := range needed {
		if _, there := here.Versions[name]; !there {
			all = append(all, finding{Check: "NeMo", Status: problem, Text: name + " is not installed there", Do: "pip install 'nemo_toolkit[asr]'"})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(here.Versions)) {
		if here.Versions[name] == nil {
			all = append(all, finding{Check: "NeMo", Status: problem,
				Text: fmt.Sprintf("the installation of %s is damaged: it does not say its version", name),
				Do:   "pip install --force-reinstall " + name})
		}
	}
	for _, r := range nemoRules() {
		if r.fires(here, windows) {
			all = append(all, finding{Check: "NeMo", Status: r.status, Text: here.fill(r.text) + " [" + r.name + "]", Do: r.do,
				Detail: map[string]string{"rule": r.name}})
		}
	}
	if !slices.ContainsFunc(all, func(f finding) bool { return f.Status == problem || f.Status == warning }) {
		good := finding{Check: "NeMo", Status: ok, Detail: here,
			Text: here.fill("NeMo %[nemo_toolkit] with torch %[torch], lhotse %[lhotse], Python %[python]; no known clash")}
		all = append([]finding{good}, all...)
	}
	return all
}

func (i installation) version(name string) (string, bool) {
	if name == "python" {
		return i.Python, true
	}
	if v := i.Versions[name]; v != nil {
		return *v, true
	}
	return "", false
}

// is compares an installed version; a package that is not there is never it.
func (i installation) is(name, how, than string) bool {
	v, there := i.version(name)
	if !there {
		return false
	}
	c := slices.Compare(numbers(v), numbers(than))
	return how == "<" && c < 0 || how == ">=" && c >= 0
}

func (i installation) python(how, than string) bool { return i.is("python", how, than) }

func (i installation) fill(text string) string {
	for _, name := range append(needed, "python", "numpy") {
		v, _ := i.version(name)
		text = strings.ReplaceAll(text, "%["+name+"]", v)
	}
	return text
}

// numbers gives the release of a version: of 2.15.0+cu132 or 2.15rc1 it is 2,
// 15. Zeros at its end count nothing (PEP 440).
func numbers(version string) []int {
	var all []int
	for part := range strings.SplitSeq(version, ".") {
		digits := len(part) - len(strings.TrimLeft(part, "0123456789"))
		n, err := strconv.Atoi(part[:digits])
		if err != nil {
			break
		}
		all = append(all, n)
		if digits < len(part) {
			break
		}
	}
	for len(all) > 0 && all[len(all)-1] == 0 {
		all = all[:len(all)-1]
	}
	return all
}
