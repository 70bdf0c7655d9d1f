package nemo_test

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/nemo"
	"github.com/holdfast-go/holdfast/internal/lane"
	"github.com/holdfast-go/holdfast/tempdir"
)

// workshop is what all tests of the binary share.
var workshop struct {
	dir     string
	mu      sync.Mutex
	pythons map[string]string
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "hf-nemo-")
	if err != nil {
		panic(err)
	}
	workshop.dir, workshop.pythons = dir, map[string]string{}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// bench is one NeMo to test with.
type bench struct {
	python string
	real   bool
	models string // directory of the real ones
}

// each runs a test with the stand-in for NeMo and with the real one.
func each(t *testing.T, test func(t *testing.T, b bench)) {
	t.Run("fake", func(t *testing.T) { test(t, fake(t)) })
	t.Run("real", func(t *testing.T) { test(t, realNeMo(t)) })
}

func fake(t testing.TB) bench {
	t.Helper()
	base := lane.Python(t)
	return bench{python: virtual(t, base, absolute(t, "testdata/fake"))}
}

func realNeMo(t testing.TB) bench {
	t.Helper()
	python, models := lane.NeMo(t)
	out, err := exec.Command(python, "-c", "import site; print(site.getsitepackages()[0])").Output()
	require.NoError(t, err)
	site := fmt.Sprintf("import site; site.addsitedir(%q)", strings.TrimSpace(string(out)))
	return bench{python: virtual(t, python, site), models: models, real: true}
}

// virtual makes a virtual environment in which every process is changed by
// testdata/hooks before it begins.
func virtual(t testing.TB, base, site string) (python string) {
	t.Helper()
	workshop.mu.Lock()
	defer workshop.mu.Unlock()
	if python := workshop.pythons[site]; python != "" {
		return python
	}
	dir := filepath.Join(workshop.dir, fmt.Sprintf("venv%d", len(workshop.pythons)))
	out, err := exec.Command(base, "-m", "venv", "--without-pip", dir).CombinedOutput()
	if err != nil {
		lane.Missing(t, "python", "cannot make a virtual environment: "+string(out))
	}
	packages := append(found(t, dir, "lib/python3*/site-packages"), found(t, dir, "Lib/site-packages")...)
	require.NotEmpty(t, packages)
	lines := strings.Join([]string{site, absolute(t, "testdata/hooks"), "import holdfast_hooks"}, "\n")
	require.NoError(t, os.WriteFile(filepath.Join(packages[0], "holdfast.pth"), []byte(lines), 0o600))
	pythons := append(found(t, dir, "bin/python"), found(t, dir, "Scripts/python.exe")...)
	require.NotEmpty(t, pythons)
	workshop.pythons[site] = pythons[0]
	return pythons[0]
}

func found(t testing.TB, dir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
	require.NoError(t, err)
	return names
}

func absolute(t testing.TB, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.FromSlash(name))
	require.NoError(t, err)
	return path
}

// model gives the file of a kind: ctc-bpe, ctc-char, rnnt-bpe, tdt-bpe,
// hybrid-bpe or aed. The stand-in has two of them.
func (b bench) model(t testing.TB, kind string) string {
	t.Helper()
	if b.real {
		return filepath.Join(b.models, "tiny-"+kind+".nemo")
	}
	config := "sample_rate: 16000\ntarget: nemo.collections.asr.models.EncDecCTCModelBPE\n"
	if kind == "aed" {
		config = "sample_rate: 16000\nprompt_format: canary2\ntarget: nemo.collections.asr.models.EncDecMultiTaskModel\n"
	}
	return fakeModel(t, config, "weights")
}

// fakeModel makes a .nemo file as NeMo packs it.
func fakeModel(t testing.TB, config, weights string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.nemo")
	require.NoError(t, os.WriteFile(path, pack(t, map[string]string{"model_config.yaml": config, "model_weights.ckpt": weights}), 0o600))
	return path
}

func pack(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	archive := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) { // the configuration first
		content := files[name]
		require.NoError(t, archive.WriteHeader(&tar.Header{Name: "./" + name, Mode: 0o600, Size: int64(len(content))}))
		_, err := archive.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	return b.Bytes()
}

// open opens an engine that is closed, and has left nothing, at the test's end.
func (b bench) open(t testing.TB, c nemo.Config) *nemo.Transcriber {
	t.Helper()
	c.Python = b.python
	c.Model = cmp.Or(c.Model, b.model(t, "ctc-bpe"))
	if c.Root == nil {
		c.Root = openRoot(t)
	}
	engine, err := nemo.Open(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, engine.Close())
		scopes, err := os.ReadDir(filepath.Join(c.Root.Path(), "s"))
		require.NoError(t, err)
		require.Empty(t, scopes)
	})
	return engine
}

// openRoot makes a root whose path is short enough for Python's sockets.
func openRoot(t testing.TB) *tempdir.Root {
	t.Helper()
	dir, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	root, err := tempdir.Open(t.Context(), dir, tempdir.Options{})
	require.NoError(t, err)
	return root
}

// outcome is what came of a batch.
type outcome struct {
	texts  map[string]string // by ID
	got    map[string]asr.Transcript
	failed map[string]*asr.UtteranceError
	err    error // the last, if it concerned no single utterance
}

func run(ctx context.Context, engine *nemo.Transcriber, batch ...asr.Utterance) outcome {
	return collect(engine.Transcribe(ctx, batch))
}

func collect(results iter.Seq2[asr.Transcript, error]) outcome {
	o := outcome{texts: map[string]string{}, got: map[string]asr.Transcript{}, failed: map[string]*asr.UtteranceError{}}
	for transcript, err := range results {
		if failed, ok := errors.AsType[*asr.UtteranceError](err); ok {
			o.failed[failed.ID] = failed
		} else if err != nil {
			o.err = err
		} else {
			o.texts[transcript.ID] = transcript.Text
			o.got[transcript.ID] = transcript
		}
	}
	return o
}

// spoken makes a batch of sentences and what is to be heard.
func spoken(t testing.TB, texts ...string) (batch []asr.Utterance, want map[string]string) {
	t.Helper()
	dir := t.TempDir()
	want = map[string]string{}
	for i, text := range texts {
		u := record(t, dir, fmt.Sprintf("%016x", i), say(text))
		batch = append(batch, u)
		want[u.ID] = text
	}
	return batch, want
}

// What a recording's first sample asks of the model, see testdata/hooks/faults.py.
const (
	failing = iota + 32001
	outOfMemory
	outOfMemoryInBatch
	cudaError
	exits
	killed
	hangs
	unfreeze
	slow
	failingInBatch
)

// asking makes a recording that asks for something.
func asking(t testing.TB, id string, fault int16, text string) asr.Utterance {
	t.Helper()
	samples := slices.Clone(say(text))
	samples[0] = fault
	return record(t, t.TempDir(), id, samples)
}
