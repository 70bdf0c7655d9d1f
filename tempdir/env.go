package tempdir

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/internal/host"
)

// Variables that tell a child which root and scope it runs in.
const (
	rootVariable  = "HOLDFAST_ROOT"
	scopeVariable = "HOLDFAST_SCOPE"
)

// Env gives the whole environment for a child process of the scope: that of
// this process, with every variable that decides where engines write pointing
// into the root. What a job may lose lies in the scope; caches that cost
// seconds to fill again lie in the root's cache.
//
// The list is that of CPython, NeMo 2.4 to 3.0 and the libraries below it.
func (s *Scope) Env() []string {
	temp, home := s.Path(tempName), s.Path(homeName)
	cache := filepath.Join(s.root.dir, cacheName, "engines")
	in := func(elem ...string) string { return filepath.Join(append([]string{cache}, elem...)...) }
	set := map[string]string{
		rootVariable:  s.root.dir,
		scopeVariable: s.dir,

		"TMPDIR": temp, "TEMP": temp, "TMP": temp,
		"JOBLIB_TEMP_FOLDER": temp, "GRADIO_TEMP_DIR": filepath.Join(temp, "gradio"),

		"HOME": home, "USERPROFILE": home,
		"APPDATA": filepath.Join(home, "AppData", "Roaming"), "LOCALAPPDATA": filepath.Join(home, "AppData", "Local"),
		"XDG_CONFIG_HOME": filepath.Join(home, ".config"), "XDG_DATA_HOME": filepath.Join(home, ".local", "share"),
		"WANDB_DIR": home, "WANDB_CONFIG_DIR": home, "WANDB_DATA_DIR": home, "WANDB_MODE": "disabled",
		"NLTK_DATA": filepath.Join(home, "nltk_data"),

		"XDG_CACHE_HOME": cache, "WANDB_CACHE_DIR": in("wandb"),
		"NEMO_CACHE_DIR": in("nemo"), "NEMO_DATA_STORE_CACHE_DIR": in("nemo", "data"),
		"HF_HOME": in("huggingface"), "TORCH_HOME": in("torch"),
		"TORCHINDUCTOR_CACHE_DIR": in("torchinductor"), "TORCH_EXTENSIONS_DIR": in("torch_extensions"),
		"PYTORCH_KERNEL_CACHE_PATH": in("torch_kernels"),
		"TRITON_HOME":               in("triton"), "TRITON_CACHE_DIR": in("triton", "cache"),
		"CUDA_CACHE_PATH": in("cuda"), "CUPY_CACHE_DIR": in("cupy"),
		"NUMBA_CACHE_DIR": in("numba"), "MPLCONFIGDIR": in("matplotlib"), "MPLBACKEND": "Agg",
		"PYTHONPYCACHEPREFIX": in("pycache"),

		"PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1",
		"PYTHONFAULTHANDLER": "1", "PYTHONNOUSERSITE": "1",
		"NEMO_REDIRECT_LOGS_TO_STDERR": "1",
		"HF_HUB_OFFLINE":               "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
		"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_SYMLINKS_WARNING": "1",
		"TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1",
	}
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		_, ours := set[strings.ToUpper(name)]
		return ours || misleading(strings.ToUpper(name))
	})
	for _, name := range slices.Sorted(maps.Keys(set)) {
		env = append(env, name+"="+set[name])
	}
	return env
}

// misleading names what a child must not inherit: the parts of a cluster's
// environment that make lhotse and Lightning take a share of the work only,
// Python's paths to somebody else's modules, and what keeps Python from keeping
// what it compiles: each start would compile everything anew.
func misleading(name string) bool {
	switch name {
	case "RANK", "WORLD_SIZE", "LOCAL_RANK", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONDONTWRITEBYTECODE",
		"HF_HUB_CACHE", "HF_ASSETS_CACHE", "HF_XET_CACHE", "HF_TOKEN_PATH", "HF_DATASETS_CACHE",
		"NEMO_DATA_STORE_CACHE_SHARED", "LIBROSA_CACHE_DIR", "HOMEDRIVE", "HOMEPATH":
		return true
	}
	return strings.HasPrefix(name, "SLURM_") || strings.HasPrefix(name, "MASTER_")
}

// FromEnv opens, in a child process, the root of the parent that started it
// under [Scope.Env]. It proves that the environment holds before anything is
// written and refuses otherwise: the root must carry its mark, the scope must
// lie in it, and the temporary directory of this process must be the scope's.
func FromEnv(ctx context.Context, o Options) (*Root, error) {
	dir, scope := os.Getenv(rootVariable), os.Getenv(scopeVariable)
	refuse := func(err error) error {
		return &CheckError{Path: dir, Check: "environment", Err: err, Hint: "start this process under Scope.Env of its parent"}
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if dir == "" || scope == "" {
		return nil, refuse(fmt.Errorf("%s and %s are not both set", rootVariable, scopeVariable))
	}
	if !filepath.IsAbs(dir) || !isRoot(dir) {
		return nil, refuse(fmt.Errorf("%s has no mark of a root", dir))
	}
	if filepath.Dir(scope) != filepath.Join(dir, scopesName) || !isID(filepath.Base(scope)) {
		return nil, refuse(fmt.Errorf("the scope %s does not lie in it", scope))
	}
	want, err := os.Stat(filepath.Join(scope, tempName))
	if err != nil {
		return nil, refuse(err)
	}
	got, err := os.Stat(os.TempDir())
	if err != nil {
		return nil, refuse(err)
	}
	if !os.SameFile(want, got) {
		return nil, refuse(fmt.Errorf("the temporary directory is %s, not the scope's", os.TempDir()))
	}
	v, err := host.VolumeOf(dir)
	if err != nil {
		return nil, refuse(err)
	}
	return &Root{dir: dir, opts: o, network: v.Network}, nil
}
