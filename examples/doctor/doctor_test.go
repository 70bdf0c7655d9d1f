package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/ggml/scripted"
)

// patient is a machine whose programs and cache the test decides.
type patient struct {
	t        *testing.T
	d        doctor
	programs map[string]string // name on the PATH, and what it says
	base     string
}

func newPatient(t *testing.T) *patient {
	t.Helper()
	base, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(base) })
	base, err = filepath.EvalSymlinks(base)
	require.NoError(t, err)
	p := &patient{t: t, base: base, programs: map[string]string{
		"whisper-cli": "whisper.cpp version: 1.9.3\n",
		"ffmpeg":      "ffmpeg version 7.1 Copyright (c) the FFmpeg developers\nbuilt with gcc\n",
		"python3":     "pip 26.1 from somewhere\n",
	}}
	p.d = doctor{root: filepath.Join(base, "root"), machine: machine{
		cache: filepath.Join(base, "cache"), fetchable: true,
		look: func(name string) (string, error) {
			if _, there := p.programs[name]; there {
				return "/bin/" + name, nil
			}
			return "", errors.New("not on the PATH")
		},
		run: func(_ context.Context, path string, _ ...string) (string, error) {
			said := p.programs[filepath.Base(path)]
			if text, fails := strings.CutPrefix(said, "FAIL "); fails {
				return text, errors.New("exit code 127")
			}
			return said, nil
		},
	}}
	return p
}

// examine gives what was found, and the whole output with the test's folder
// replaced.
func (p *patient) examine() (all []finding, output string, sick bool) {
	p.t.Helper()
	var out, errs bytes.Buffer
	show := newPrinter(&out, &errs, false, p.d.trial)
	p.d.doing = show.doing
	p.d.tell = func(f finding) {
		all = append(all, f)
		f.Text = strings.ReplaceAll(filepath.ToSlash(f.Text), filepath.ToSlash(p.base), "/base")
		show.finding(f)
	}
	p.d.examine(p.t.Context())
	sick, err := show.end()
	require.NoError(p.t, err)
	require.Empty(p.t, errs.String())
	return all, out.String(), sick
}

func (p *patient) model(name string, content []byte) string {
	p.t.Helper()
	path := filepath.Join(p.d.machine.cache, "models", name)
	require.NoError(p.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(p.t, os.WriteFile(path, content, 0o600))
	return path
}

func scriptedModel(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, scripted.Write(&b, scripted.Script{}))
	return b.Bytes()
}

// find gives the one finding of a check that is not ok, or the ok one.
func find(t *testing.T, all []finding, check string) finding {
	t.Helper()
	var found *finding
	for i, f := range all {
		if f.Check == check && (found == nil || found.Status == ok || found.Status == note) {
			found = &all[i]
		}
	}
	require.NotNil(t, found, "no finding of %q in %v", check, all)
	return *found
}

func TestHealthy(t *testing.T) {
	p := newPatient(t)
	all, output, sick := p.examine()
	require.False(t, sick, output)
	require.Equal(t, `ok       root              temporary files go to /base/root
ok       path              it has no character that an engine stumbles over, and is short enough
ok       folder            it is there, and yours
ok       synced folder     no OneDrive, Dropbox or the like watches it
ok       disk              it lies on a disk of this machine
ok       free space        2 GiB at least are free
ok       private           nobody else can write into it
ok       operations        files can be written, renamed, locked and removed in it
ok       leftovers         no dead process has left anything
ok       whisper.cpp       version 1.9.3, /bin/whisper-cli
note     model             there is none yet; the first run of transcribe fetches tiny.en (71 MB)
ok       ffmpeg            version 7.1, /bin/ffmpeg

All is well, as far as can be seen; doctor -try has the engine transcribe.
`, output)
	require.Len(t, all, 12)
	entries, err := os.ReadDir(filepath.Join(p.d.root, "s"))
	require.NoError(t, err)
	require.Empty(t, entries, "the doctor leaves nothing")
}

func TestSickPathAndNothingInstalled(t *testing.T) {
	p := newPatient(t)
	p.d.root = filepath.Join(p.base, "Ann (Work), OneDrive")
	p.programs = nil
	_, output, sick := p.examine()
	require.True(t, sick)
	require.Equal(t, `note     root              temporary files were to go to /base/Ann (Work), OneDrive
problem  characters        NeMo cannot read a manifest below a path with "("
                           → choose a directory without ( ) [ ] { } < > and commas
note     folder            the folder was not made, so nothing else can be said of it
problem  whisper.cpp       there is no whisper-cli on the PATH, and none can be fetched: neither
                           python3 nor python is on the PATH
                           → install Python with pip, or build github.com/ggml-org/whisper.cpp and
                             put its whisper-cli on the PATH
problem  model             there is none, and none can be fetched: neither python3 nor python is on
                           the PATH
                           → install Python with pip, or download a ggml model of whisper.cpp and
                             name it by -model
warning  ffmpeg            it is not on the PATH, so that only WAV files can be read: no MP3, M4A,
                           FLAC, and no video
                           → install ffmpeg, with your system's package manager or from ffmpeg.org

A job would fail here: 3 problems, 1 warning.
`, output)
	require.NoDirExists(t, p.d.root)
}

func TestSyncedFolderIsToldBesideTheRest(t *testing.T) {
	p := newPatient(t)
	p.d.root = filepath.Join(p.base, "OneDrive - Firm", "root")
	all, _, sick := p.examine()
	require.True(t, sick)
	f := find(t, all, "synced folder")
	require.Equal(t, problem, f.Status)
	require.Contains(t, f.Text, "belongs to OneDrive")
	require.NotEmpty(t, f.Do)
	require.Equal(t, ok, find(t, all, "disk").Status)
	require.Equal(t, ok, find(t, all, "private").Status)
}

func TestFileInPlaceOfFolder(t *testing.T) {
	p := newPatient(t)
	require.NoError(t, os.WriteFile(p.d.root, nil, 0o600))
	all, output, sick := p.examine()
	require.True(t, sick, output)
	for _, f := range all {
		require.NotEqual(t, "private", f.Check, "nothing is said of what was not looked at")
	}
}

func TestForeignFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	p := newPatient(t)
	require.NoError(t, os.Mkdir(p.d.root, 0o700))
	require.NoError(t, os.Chown(p.d.root, 12345, 12345))
	all, _, sick := p.examine()
	require.True(t, sick)
	f := find(t, all, "private")
	require.Equal(t, problem, f.Status)
	require.Contains(t, f.Text, "belongs to user 12345")
	require.Contains(t, f.Do, "inside your own home")
	require.Equal(t, ok, find(t, all, "synced folder").Status)
}

func TestReadOnlyFolder(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("permissions bind neither root nor, on folders, Windows; the read-only mount is tested elsewhere")
	}
	p := newPatient(t)
	require.NoError(t, os.Mkdir(p.d.root, 0o500))
	all, _, sick := p.examine()
	require.True(t, sick)
	require.Equal(t, problem, find(t, all, "make a directory").Status)
}

func TestDefaultFolderThatIsRefused(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the default folder follows XDG_CACHE_HOME on Linux only")
	}
	p := newPatient(t)
	p.d.root = ""
	t.Setenv("XDG_CACHE_HOME", filepath.Join(p.base, "Dropbox"))
	t.Setenv("TMPDIR", p.base)
	all, _, sick := p.examine()
	require.False(t, sick)
	f := find(t, all, "default folder")
	require.Equal(t, warning, f.Status)
	require.Contains(t, f.Text, "Dropbox")
	require.Contains(t, find(t, all, "root").Text, filepath.Join(p.base, fmt.Sprintf("holdfast-%d", os.Geteuid())))
}

func TestWhisper(t *testing.T) {
	for name, c := range map[string]struct {
		programs map[string]string
		change   func(*patient)
		want     status
		text     string
	}{
		"old":                   {programs: map[string]string{"whisper-cpp": "error: unknown argument: --version\n\nusage: x"}, want: ok, text: "too old"},
		"does not run":          {programs: map[string]string{"whisper-cli": "FAIL libggml.so: cannot open shared object file"}, want: problem, text: "libggml.so"},
		"something else":        {programs: map[string]string{"whisper-cli": "hello"}, want: problem, text: "does not behave"},
		"none, but pip":         {programs: map[string]string{"python3": "pip 26"}, want: note, text: "fetches one"},
		"none, pip is missing":  {programs: map[string]string{"python3": "FAIL No module named pip"}, want: problem, text: "No module named pip"},
		"none for this system":  {programs: map[string]string{"python3": "pip 26"}, change: func(p *patient) { p.d.machine.fetchable = false }, want: problem, text: "none can be fetched for this system"},
		"none, but NeMo":        {change: func(p *patient) { p.d.python = "/no/python" }, want: note, text: "only NeMo"},
		"named":                 {programs: map[string]string{"mine": "whisper.cpp version: 2.0"}, change: func(p *patient) { p.d.binary = "/x/mine" }, want: ok, text: "version 2.0, /x/mine"},
		"fetched":               {programs: map[string]string{"whisper-cpp-0.0.3": "usage:"}, change: func(p *patient) { p.fetched("whisper-cpp-0.0.3") }, want: ok, text: "whisper-cpp-0.0.3"},
		"server beside the CLI": {programs: map[string]string{"whisper-cli": "whisper.cpp version: 1", "whisper-server": "whisper.cpp version: 1"}, want: ok, text: "version 1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t)
			p.programs = c.programs
			if c.change != nil {
				c.change(p)
			}
			all, _, sick := p.examine()
			f := find(t, all, "whisper.cpp")
			require.Equal(t, c.want, f.Status, f)
			require.Contains(t, f.Text, c.text)
			if c.want == problem {
				require.True(t, sick)
				require.NotEmpty(t, f.Do)
			}
		})
	}
}

func (p *patient) fetched(program string) {
	dir := filepath.Join(p.d.machine.cache, "bin")
	require.NoError(p.t, os.MkdirAll(dir, 0o700))
	require.NoError(p.t, os.WriteFile(filepath.Join(dir, program), nil, 0o700))
}

func TestModels(t *testing.T) {
	whole := scriptedModel(t)
	p := newPatient(t)
	p.model("ggml-cut.bin", whole[:len(whole)/2])
	own := filepath.Join(p.base, "mine.bin")
	require.NoError(t, os.WriteFile(own, whole, 0o600))
	p.d.model = own
	all, output, sick := p.examine()
	require.True(t, sick)
	require.Regexp(t, `ggml-cut.bin: bad model: cut short`, strings.Join(strings.Fields(output), " "))
	require.Contains(t, output, "delete the file; the next run fetches it again")
	require.Contains(t, output, "mine.bin is whole")
	require.Regexp(t, "^[0-9a-f]{64}$", all[len(all)-2].Detail.(map[string]any)["sha256"])

	// Whole, but not what its name says.
	p = newPatient(t)
	p.model("ggml-tiny.en.bin", whole)
	all, _, sick = p.examine()
	require.True(t, sick)
	require.Contains(t, find(t, all, "model").Text, "not the tiny.en that whisper.cpp publishes")

	p = newPatient(t)
	p.d.model = filepath.Join(p.base, "absent.bin")
	all, _, sick = p.examine()
	require.True(t, sick)
	require.Contains(t, find(t, all, "model").Text, "absent.bin")
}

func TestWindowsLines(t *testing.T) {
	p := newPatient(t)
	p.d.root = filepath.Join(p.base, "Chunky's Master Folder")
	p.d.machine.windows = true
	all, output, sick := p.examine()
	require.False(t, sick, output)
	require.Equal(t, fmt.Sprintf("Add-MpPreference -ExclusionPath '%s'", filepath.Join(p.base, "Chunky''s Master Folder")), find(t, all, "Defender").Command)
	require.Contains(t, output, "\n  Add-MpPreference", "on a line of its own")
	require.Contains(t, find(t, all, "long paths").Command, "LongPathsEnabled")

	// As reg query answers for both.
	p.programs["reg"] = "\r\nHKEY_LOCAL_MACHINE\\x\r\n    LongPathsEnabled    REG_DWORD    0x1\r\n\r\n"
	all, _, _ = p.examine()
	require.Equal(t, ok, find(t, all, "long paths").Status)
	for _, f := range all {
		require.NotEqual(t, "Defender", f.Check)
	}
}

// What programs read: field names and the values of status are a promise.
func TestJSON(t *testing.T) {
	base := newPatient(t).base
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"-json", "-files", "6", "-root", filepath.Join(base, "root")}, &out, &errs, nil)
	require.Empty(t, errs.String())
	var got struct {
		Version  *int
		Status   string
		Findings []map[string]json.RawMessage
	}
	dec := json.NewDecoder(&out)
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&got))
	require.False(t, dec.More())
	require.Equal(t, 1, *got.Version)
	require.Equal(t, map[bool]int{false: exitOK, true: exitSick}[got.Status == "problem"], code)
	require.Contains(t, []string{"ok", "warning", "problem"}, got.Status)
	found := map[string]map[string]json.RawMessage{}
	for _, f := range got.Findings {
		require.Subset(t, []string{"check", "status", "text", "do", "command", "detail"}, keys(f))
		require.Subset(t, keys(f), []string{"check", "status", "text"})
		var check, state string
		require.NoError(t, json.Unmarshal(f["check"], &check))
		require.NoError(t, json.Unmarshal(f["status"], &state))
		require.Contains(t, []string{"ok", "note", "warning", "problem"}, state)
		found[check] = f
	}
	var locks map[string]any
	require.NoError(t, json.Unmarshal(found["lock test"]["detail"], &locks))
	require.ElementsMatch(t, []string{"files", "touched", "operations", "delayed", "given_up", "wait_p50_ms", "wait_p95_ms", "wait_max_ms", "holders", "seconds"}, keys(locks))
	require.EqualValues(t, 6, locks["files"])
	require.EqualValues(t, 30, locks["operations"])
	require.Equal(t, []any{}, locks["holders"], "nobody, and not null")
}

func keys[V any](m map[string]V) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	return all
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-nonsense"}, {"folder"}, {"-files", "-1"}, {"-files", "x"}} {
		var out, errs bytes.Buffer
		require.Equal(t, exitUsage, run(t.Context(), args, &out, &errs, nil), args)
		require.NotEmpty(t, errs.String())
		require.Empty(t, out.String())
	}
	var out, errs bytes.Buffer
	require.Equal(t, exitOK, run(t.Context(), []string{"-h"}, &out, &errs, nil))
	require.Contains(t, errs.String(), "doctor -python")
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	require.Equal(t, exitUsage, run(ctx, []string{"-root", newPatient(t).d.root}, &out, &errs, nil))
	require.Contains(t, errs.String(), "interrupted")
}

// What is named by -model is not always a model that came down broken.
func TestNoModelAtAll(t *testing.T) {
	p := newPatient(t)
	p.d.model = filepath.Join(p.base, "notes.txt")
	require.NoError(t, os.WriteFile(p.d.model, []byte("root:x:0:0"), 0o600))
	all, _, sick := p.examine()
	require.True(t, sick)
	require.Equal(t, "name a ggml model of whisper.cpp by -model; if it is one, download it again", find(t, all, "model").Do)
}
