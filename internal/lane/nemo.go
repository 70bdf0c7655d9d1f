package lane

import (
	"os"
	"os/exec"
	"testing"
)

// NeMo gives a Python that can import nemo, HOLDFAST_NEMO_PYTHON, and the
// directory of the small models, HOLDFAST_NEMO_MODELS. Both are made by
// .ci/nemo.sh.
func NeMo(t testing.TB) (python, models string) {
	t.Helper()
	python, models = os.Getenv("HOLDFAST_NEMO_PYTHON"), os.Getenv("HOLDFAST_NEMO_MODELS")
	if python == "" || models == "" {
		Missing(t, "nemo", "no NeMo: run `.ci/nemo.sh DIR` and set HOLDFAST_NEMO_PYTHON and HOLDFAST_NEMO_MODELS")
	}
	return python, models
}

// Python gives any Python 3.10 or newer.
func Python(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"python3", "python"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if exec.Command(path, "-c", "import sys; sys.exit(sys.version_info < (3, 10))").Run() == nil {
			return path
		}
	}
	Missing(t, "python", "no Python 3.10 or newer on the PATH")
	return ""
}
