package nemo_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/nemo"
	"github.com/holdfast-go/holdfast/internal/lane"
	"github.com/holdfast-go/holdfast/retry"
)

const (
	ctcConfig  = "preprocessor:\n  sample_rate: 8000\nsample_rate: 16000\ntarget: nemo.collections.asr.models.EncDecCTCModelBPE\n"
	testWeight = "weights"
)

func TestOpenRefuses(t *testing.T) {
	whole, err := os.ReadFile(fakeModel(t, ctcConfig, testWeight))
	require.NoError(t, err)
	write := func(content []byte) string {
		path := filepath.Join(t.TempDir(), "model.nemo")
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	python, err := os.Executable() // any program will do
	require.NoError(t, err)
	good := nemo.Config{Python: python, Model: write(whole), Root: openRoot(t)}
	_, err = nemo.Open(t.Context(), good)
	require.NoError(t, err, "no process is started")

	for name, c := range map[string]struct {
		change func(*nemo.Config)
		want   string
		model  bool
	}{
		"no root":        {func(c *nemo.Config) { c.Root = nil }, "Root is missing", false},
		"no Python":      {func(c *nemo.Config) { c.Python = "" }, "Python is missing", false},
		"absent Python":  {func(c *nemo.Config) { c.Python = filepath.Join(t.TempDir(), "python") }, "python", false},
		"no model":       {func(c *nemo.Config) { c.Model = "" }, "Model is missing", false},
		"absent model":   {func(c *nemo.Config) { c.Model = "gone.nemo" }, "gone.nemo", false},
		"unknown name":   {func(c *nemo.Config) { c.Model = "nobody/nothing" }, "set Config.Download", false},
		"threads":        {func(c *nemo.Config) { c.Threads = -1 }, "Threads", false},
		"batch":          {func(c *nemo.Config) { c.Batch = -1 }, "Batch", false},
		"empty model":    {func(c *nemo.Config) { c.Model = write(nil) }, "lacks model_config.yaml", true},
		"no tar":         {func(c *nemo.Config) { c.Model = write(bytes.Repeat([]byte("x"), 4096)) }, "no whole .nemo file", true},
		"cut in a file":  {func(c *nemo.Config) { c.Model = write(whole[:600]) }, "unexpected EOF", true},
		"cut to a file":  {func(c *nemo.Config) { c.Model = write(whole[:1024]) }, "lacks", true},
		"no weights":     {func(c *nemo.Config) { c.Model = write(pack(t, map[string]string{"model_config.yaml": ctcConfig})) }, "lacks", true},
		"no class":       {func(c *nemo.Config) { c.Model = fakeModel(t, "sample_rate: 16000\n", testWeight) }, "target", true},
		"8 kHz":          {func(c *nemo.Config) { c.Model = fakeModel(t, "sample_rate: 8000\n"+"target: a.B\n", testWeight) }, "8000 Hz", true},
		"only a folder":  {func(c *nemo.Config) { c.Model = t.TempDir() }, "lacks", true},
		"negative audio": {func(c *nemo.Config) { c.MaxAudio = -1 }, "MaxAudio", false},
	} {
		config := good
		c.change(&config)
		_, err := nemo.Open(t.Context(), config)
		dead, ok := errors.AsType[*asr.EngineError](err)
		require.True(t, ok, name)
		require.True(t, dead.Fatal, name)
		require.ErrorContains(t, dead, c.want, name)
		require.Equal(t, c.model, errors.Is(err, asr.ErrBadModel), name)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = nemo.Open(ctx, good)
	require.ErrorIs(t, err, context.Canceled)
}

// A disk that cannot be read says nothing about the model on it.
func TestUnreadableModelIsNoBadOne(t *testing.T) {
	python, err := os.Executable()
	require.NoError(t, err)
	unpacked := t.TempDir()
	for _, name := range []string{"model_config.yaml", "model_weights.ckpt"} {
		require.NoError(t, os.WriteFile(filepath.Join(unpacked, name), []byte(ctcConfig), 0o600))
	}
	broken := errors.New("the disk is broken")
	failing := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpRead {
			return broken
		}
		return next()
	}}
	for _, model := range []string{fakeModel(t, ctcConfig, testWeight), unpacked} {
		_, err = nemo.Open(t.Context(), nemo.Config{Python: python, Model: model, Root: openRoot(t), FS: failing})
		require.ErrorIs(t, err, broken)
		require.NotErrorIs(t, err, asr.ErrBadModel)
	}
}

// A transcript is journaled under the bytes of the model that was opened; so no
// other may be loaded, at the first start or a later one.
func TestModelChanges(t *testing.T) {
	b := fake(t)
	file, unpacked := fakeModel(t, ctcConfig, testWeight), t.TempDir()
	for name, content := range map[string]string{"model_config.yaml": ctcConfig, "model_weights.ckpt": testWeight} {
		require.NoError(t, os.WriteFile(filepath.Join(unpacked, name), []byte(content), 0o600))
	}
	for model, part := range map[string]string{file: file, unpacked: filepath.Join(unpacked, "model_weights.ckpt")} {
		engine := b.open(t, nemo.Config{Model: model, Recycle: nemo.Recycle{Utterances: 1}})
		batch, want := spoken(t, "hello")
		require.Equal(t, want, run(t.Context(), engine, batch...).texts)

		content, err := os.ReadFile(part)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(part+".new", content, 0o600))
		require.NoError(t, os.Rename(part+".new", part))
		got := run(t.Context(), engine, batch...)
		require.Empty(t, got.texts)
		require.ErrorIs(t, got.err, asr.ErrBadModel)
		require.ErrorContains(t, got.err, part+" has changed")
	}
}

func TestFingerprint(t *testing.T) {
	python, err := os.Executable()
	require.NoError(t, err)
	root := openRoot(t)
	print := func(c nemo.Config) string {
		c.Python, c.Root = python, root
		engine, err := nemo.Open(t.Context(), c)
		require.NoError(t, err)
		return engine.Engine().Fingerprint
	}
	model := fakeModel(t, ctcConfig, testWeight)
	first := print(nemo.Config{Model: model})
	require.Equal(t, first, print(nemo.Config{Model: model, Batch: 1, Threads: 3, Device: "cuda"}))
	require.NotEqual(t, first, print(nemo.Config{Model: model, Words: true}))
	require.NotEqual(t, first, print(nemo.Config{Model: fakeModel(t, ctcConfig, "other weights")}))
}

// Older versions of NeMo compressed their models; an unpacked one loads without
// a copy in the temporary directory.
func TestFormsOfModels(t *testing.T) {
	b := fake(t)
	whole, err := os.ReadFile(fakeModel(t, ctcConfig, testWeight))
	require.NoError(t, err)
	var small bytes.Buffer
	z := gzip.NewWriter(&small)
	_, err = z.Write(whole)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	compressed := filepath.Join(t.TempDir(), "old.nemo")
	require.NoError(t, os.WriteFile(compressed, small.Bytes(), 0o600))
	unpacked := t.TempDir()
	for name, content := range map[string]string{"model_config.yaml": ctcConfig, "model_weights.ckpt": testWeight, "vocab.txt": ""} {
		require.NoError(t, os.WriteFile(filepath.Join(unpacked, name), []byte(content), 0o600))
	}
	for name, model := range map[string]string{"compressed": compressed, "unpacked": unpacked} {
		t.Run(name, func(t *testing.T) {
			engine := b.open(t, nemo.Config{Model: model})
			batch, want := spoken(t, "hold fast")
			require.Equal(t, want, run(t.Context(), engine, batch...).texts)
		})
	}
}

func TestStartRefuses(t *testing.T) {
	t.Run("without NeMo", func(t *testing.T) {
		b := bench{python: lane.Python(t)}
		engine := b.open(t, nemo.Config{})
		_, err := engine.Start(t.Context())
		dead, ok := errors.AsType[*asr.EngineError](err)
		require.True(t, ok)
		require.True(t, dead.Fatal)
		require.ErrorContains(t, err, "cannot import NeMo")
		require.ErrorContains(t, err, "install nemo_toolkit[asr]")

		batch, _ := spoken(t, "hello")
		got := run(t.Context(), engine, batch...)
		require.ErrorContains(t, got.err, "cannot import NeMo")
		require.Empty(t, got.failed)
	})
	t.Run("bad weights", func(t *testing.T) {
		b := fake(t)
		engine := b.open(t, nemo.Config{Model: fakeModel(t, ctcConfig, "junk")})
		_, err := engine.Start(t.Context())
		dead, ok := errors.AsType[*asr.EngineError](err)
		require.True(t, ok)
		require.True(t, dead.Fatal)
		require.ErrorIs(t, err, asr.ErrBadModel)
		require.ErrorContains(t, err, "size mismatch")
	})
	t.Run("another rate", func(t *testing.T) {
		b := fake(t)
		engine := b.open(t, nemo.Config{Model: fakeModel(t, "preprocessor_rate: 8000\ntarget: a.EncDecCTCModelBPE\n", testWeight)})
		_, err := engine.Start(t.Context())
		require.ErrorIs(t, err, asr.ErrBadModel)
		require.ErrorContains(t, err, "8000 Hz")
	})
	t.Run("too slow", func(t *testing.T) {
		b := fake(t)
		engine := b.open(t, nemo.Config{StartTimeout: time.Nanosecond})
		_, err := engine.Start(t.Context())
		dead, ok := errors.AsType[*asr.EngineError](err)
		require.True(t, ok)
		require.False(t, dead.Fatal)
		require.ErrorIs(t, err, asr.ErrTimeout)
	})
}

// A name of Hugging Face's is looked up in its caches; nothing is fetched unasked.
func TestHub(t *testing.T) {
	b := fake(t)
	hub := t.TempDir()
	t.Setenv("HOLDFAST_TEST_HUB", hub)
	t.Setenv("HF_HUB_OFFLINE", "1") // the user's own environment does not count
	t.Setenv("HF_HOME", t.TempDir())
	require.NoError(t, os.MkdirAll(filepath.Join(hub, "nvidia", "small"), 0o700))
	content, err := os.ReadFile(fakeModel(t, ctcConfig, testWeight))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(hub, "nvidia", "small", "small.nemo"), content, 0o600))
	root := openRoot(t)

	c := nemo.Config{Python: b.python, Root: root, Model: "nvidia/small"}
	_, err = nemo.Open(t.Context(), c)
	require.ErrorContains(t, err, "set Config.Download")

	c.Download, c.Model = true, "nvidia/absent"
	_, err = nemo.Open(t.Context(), c)
	require.ErrorContains(t, err, "Repository Not Found")

	engine := b.open(t, nemo.Config{Root: root, Model: "nvidia/small", Download: true})
	require.Equal(t, "small", engine.Engine().Model)
	batch, want := spoken(t, "hello")
	require.Equal(t, want, run(t.Context(), engine, batch...).texts)

	require.NoError(t, engine.Close())

	// From now on it is in the root's cache.
	engine = b.open(t, nemo.Config{Root: root, Model: "nvidia/small"})
	require.Equal(t, want, run(t.Context(), engine, batch...).texts)
}

// What a model with a prompt is told: the entry's fields, its language, the
// configuration's; and each utterance in a batch has its own.
func TestPrompt(t *testing.T) {
	b := fake(t)
	config := "target: nemo.collections.asr.models.EncDecMultiTaskModel\n"
	for name, c := range map[string]struct {
		config   string
		language string // of the configuration
		fields   []string
		want     []string // with neither, with the language de, with a target language
	}{
		"Canary 2": {config + "prompt_format: canary2\n", "", []string{"source_lang", "target_lang", "pnc", "itn", "diarize", "emotion", "decodercontext"}, []string{
			"pnc=yes source_lang=en target_lang=en hello",
			"pnc=yes source_lang=de target_lang=de world",
			"pnc=no source_lang=en target_lang=fr hold",
		}},
		"Canary": {config + "prompt_format: canary\n", "es", []string{"source_lang", "target_lang", "task", "taskname", "pnc"}, []string{
			"pnc=yes source_lang=es target_lang=es task=asr hello",
			"pnc=yes source_lang=de target_lang=de task=asr world",
			"pnc=no source_lang=es target_lang=fr task=s2t_translation hold",
		}},
		"language only": {"target: nemo.collections.asr.models.EncDecRNNTBPEModelWithPrompt\n", "", []string{"target_lang"}, []string{
			" hello", "target_lang=de world", "target_lang=fr hold",
		}},
		"none": {ctcConfig, "es", nil, []string{"hello", "world", "hold"}},
	} {
		t.Run(name, func(t *testing.T) {
			engine := b.open(t, nemo.Config{Model: fakeModel(t, c.config, testWeight), Language: c.language})
			require.Equal(t, c.fields, engine.Engine().Fields)
			batch, _ := spoken(t, "hello", "world", "hold")
			batch[1].Language = "de"
			require.NoError(t, batch[2].Source.Extra.Set("target_lang", "fr"))
			require.NoError(t, batch[2].Source.Extra.Set("pnc", false))
			got := run(t.Context(), engine, batch...)
			require.NoError(t, got.err)
			require.Empty(t, got.failed)
			for i, want := range c.want {
				require.Equal(t, want, got.texts[batch[i].ID])
			}
		})
	}
}
