package tempdir_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/host"
	"github.com/holdfast-go/holdfast/internal/lane"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
	"github.com/holdfast-go/holdfast/tempdir"
)

func TestScopeLifetime(t *testing.T) {
	root := openRoot(t)
	scope := newScope(t, root)
	require.True(t, strings.HasPrefix(scope.Path(), root.Path()))
	require.NoError(t, os.WriteFile(scope.Path("file"), nil, 0o600))

	swept, err := root.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{scope.Path()}, swept.Live)
	require.FileExists(t, scope.Path("file"))

	require.Empty(t, scope.Close())
	require.Empty(t, scope.Close())
	entries, err := os.ReadDir(filepath.Dir(scope.Path()))
	require.NoError(t, err)
	require.Empty(t, entries, "directory, record and lock are gone")
}

func TestSweepAfterKill(t *testing.T) {
	root := openRoot(t)
	cmd, dir := startHolder(t, root.Path())

	swept, err := root.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{dir}, swept.Live, "its process lives")

	require.NoError(t, cmd.Process.Kill())
	cmd.Wait()
	swept, err = root.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{dir}, swept.Removed)
	require.NoDirExists(t, dir)
	entries, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	require.Empty(t, entries)
}

// forge leaves a scope behind as if its process had died, with the record
// changed.
func forge(t *testing.T, root *tempdir.Root, change func(record map[string]any)) string {
	t.Helper()
	cmd, dir := startHolder(t, root.Path())
	require.NoError(t, cmd.Process.Kill())
	cmd.Wait()
	b, err := os.ReadFile(dir + ".json")
	require.NoError(t, err)
	record := map[string]any{}
	require.NoError(t, json.Unmarshal(b, &record))
	change(record)
	b, err = json.Marshal(record)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(dir+".json", b, 0o600))
	return dir
}

func age(t *testing.T, dir string, days int) {
	t.Helper()
	past := time.Now().AddDate(0, 0, -days)
	require.NoError(t, os.Chtimes(dir, past, past))
}

func TestSweepJudgesRecords(t *testing.T) {
	for name, c := range map[string]struct {
		change func(map[string]any)
		days   int
		dead   bool
	}{
		"the number was given to a later process": {func(r map[string]any) {
			r["pid"], r["start"] = os.Getpid(), "1"
		}, 0, true},
		"it runs, but somebody took its lock file": {func(r map[string]any) {
			r["pid"] = os.Getpid()
			delete(r, "start")
		}, 0, false},
		"another machine's, on a shared disk": {func(r map[string]any) {
			r["host"], r["boot"] = "elsewhere", "1234"
		}, 0, false},
		"another machine's, and old": {func(r map[string]any) {
			r["host"], r["boot"] = "elsewhere", "1234"
		}, 8, true},
		"a container's beside us, whose lock would show": {func(r map[string]any) {
			r["host"] = "container"
		}, 0, host.Self().Boot != ""},
		"kept for somebody to look at": {func(r map[string]any) { r["kept"] = true }, 1, false},
		"kept too long":                {func(r map[string]any) { r["kept"] = true }, 8, true},
	} {
		t.Run(name, func(t *testing.T) {
			root := openRoot(t)
			dir := forge(t, root, c.change)
			age(t, dir, c.days)
			swept, err := root.Sweep(t.Context())
			require.NoError(t, err)
			if c.dead {
				require.Equal(t, []string{dir}, swept.Removed)
				require.NoDirExists(t, dir)
			} else {
				require.Equal(t, []string{dir}, swept.Live)
				require.FileExists(t, filepath.Join(dir, "big.wav"))
			}
		})
	}
}

func TestSweepTornRecord(t *testing.T) {
	root := openRoot(t)
	dir := forge(t, root, func(map[string]any) {})
	require.NoError(t, os.WriteFile(dir+".json", []byte(`{"ho`), 0o600))
	swept, err := root.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{dir}, swept.Removed, "on a local disk the free lock says enough")
}

// What the record says is not known as long as a scanner has it: that its scope is to be kept, for instance.
func TestSweepLeavesScopeWhoseRecordIsHeld(t *testing.T) {
	var held bool
	files := retry.FS{Policy: retry.Policy{Budget: -1}, Intercept: func(op *retry.Op, next func() error) error {
		if held && op.Kind == retry.OpOpen && filepath.Ext(op.Path) == ".json" {
			return locktest.SharingViolation
		}
		return next()
	}}
	root, err := tempdir.Open(t.Context(), shortDir(t), tempdir.Options{FS: files})
	require.NoError(t, err)
	scope := newScope(t, root)
	scope.Keep()
	require.Empty(t, scope.Close())

	held = true
	swept, err := root.Sweep(t.Context())
	require.ErrorIs(t, err, retry.ErrLocked)
	require.Equal(t, []string{scope.Path()}, swept.Left)
	require.DirExists(t, scope.Path())

	held = false
	swept, err = root.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{scope.Path()}, swept.Live)
}

func TestSweepLeavesStrangers(t *testing.T) {
	root := openRoot(t)
	stranger := filepath.Join(root.Path(), "s", "notes.txt")
	require.NoError(t, os.WriteFile(stranger, nil, 0o600))
	_, err := root.Sweep(t.Context())
	require.NoError(t, err)
	require.FileExists(t, stranger)
}

func TestSweepTidies(t *testing.T) {
	root := openRoot(t)
	old, young := filepath.Join(root.Path(), "probe-abcdef"), filepath.Join(root.Path(), "probe-012345")
	for _, dir := range []string{old, young} {
		require.NoError(t, os.Mkdir(dir, 0o700))
	}
	age(t, old, 1)
	_, err := root.Sweep(t.Context())
	require.NoError(t, err)
	require.NoDirExists(t, old, "its Open was killed")
	require.DirExists(t, young, "its Open may be at work")
}

func TestKeep(t *testing.T) {
	root, err := tempdir.Open(t.Context(), shortDir(t), tempdir.Options{MaxAge: 3 * 24 * time.Hour})
	require.NoError(t, err)
	scope := newScope(t, root)
	scope.Keep()
	require.Empty(t, scope.Close())
	require.DirExists(t, scope.Path())
	swept, err := root.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{scope.Path()}, swept.Live)
	age(t, scope.Path(), 4)
	swept, err = root.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{scope.Path()}, swept.Removed)
}

func TestEnv(t *testing.T) {
	t.Setenv("WORLD_SIZE", "8")
	t.Setenv("SLURM_PROCID", "3")
	t.Setenv("PYTHONPATH", "/somewhere")
	t.Setenv("HF_HOME", "/somewhere")
	t.Setenv("KEEP_ME", "yes")
	root := openRoot(t)
	scope := newScope(t, root)
	env := scope.Env()
	require.Contains(t, env, "KEEP_ME=yes")
	seen := map[string]string{}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		require.NotContains(t, seen, name, "each variable is there once")
		seen[name] = value
	}
	for _, name := range []string{"WORLD_SIZE", "SLURM_PROCID", "PYTHONPATH"} {
		require.NotContains(t, seen, name)
	}
	for _, name := range []string{"TMPDIR", "TEMP", "TMP", "HOME", "USERPROFILE", "GRADIO_TEMP_DIR"} {
		require.True(t, strings.HasPrefix(seen[name], scope.Path()), "%s=%s", name, seen[name])
	}
	for _, name := range []string{"HF_HOME", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "TORCH_HOME"} {
		require.True(t, strings.HasPrefix(seen[name], root.Path()), "%s=%s", name, seen[name])
	}
	require.DirExists(t, seen["TMPDIR"])
	require.DirExists(t, seen["HOME"])
}

// What Python has compiled for one scope serves the next, and lies in the root.
func TestEnvKeepsBytecode(t *testing.T) {
	python := lane.Python(t)
	t.Setenv("PYTHONDONTWRITEBYTECODE", "1") // as images for containers do
	root, program := openRoot(t), shortDir(t)
	require.NoError(t, os.WriteFile(filepath.Join(program, "module.py"), nil, 0o600))
	var compiled string
	for i := range 2 {
		scope := newScope(t, root)
		cmd := exec.Command(python, "-v", "-c", "import module; print(module.__cached__)")
		cmd.Dir, cmd.Env = program, scope.Env()
		var said strings.Builder
		cmd.Stderr = &said
		out, err := cmd.Output()
		require.NoError(t, err, said.String())
		compiled = strings.TrimSpace(string(out))
		require.FileExists(t, compiled)
		require.Equal(t, i == 1, strings.Contains(said.String(), compiled+" matches"), "start %d", i)
		require.Empty(t, scope.Close())
	}
	require.True(t, strings.HasPrefix(compiled, root.Path()), compiled)
	require.NoDirExists(t, filepath.Join(program, "__pycache__"))
}

func TestFromEnv(t *testing.T) {
	root := openRoot(t)
	scope := newScope(t, root)
	cmd := child("from-env")
	cmd.Env = append(scope.Env(), childVariable+"=from-env")
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Equal(t, root.Path()+"\n", string(out))
}

func TestFromEnvRefuses(t *testing.T) {
	root := openRoot(t)
	scope := newScope(t, root)
	notes := filepath.Join(root.Path(), "s", "notes", "t")
	require.NoError(t, os.MkdirAll(notes, 0o700))
	for name, extra := range map[string][]string{
		"not a scope":                {"HOLDFAST_SCOPE=" + filepath.Dir(notes), "TMPDIR=" + notes, "TMP=" + notes, "TEMP=" + notes},
		"no root":                    {"HOLDFAST_ROOT="},
		"not a root":                 {"HOLDFAST_ROOT=" + shortDir(t)},
		"scope elsewhere":            {"HOLDFAST_SCOPE=" + shortDir(t)},
		"temporary folder elsewhere": {"TMPDIR=" + shortDir(t), "TMP=" + shortDir(t), "TEMP=" + shortDir(t)},
	} {
		cmd := child("from-env")
		cmd.Env = slices.Concat(scope.Env(), extra, []string{childVariable + "=from-env"})
		out, err := cmd.CombinedOutput()
		require.Error(t, err, name)
		require.Contains(t, string(out), "environment", name)
	}
}
