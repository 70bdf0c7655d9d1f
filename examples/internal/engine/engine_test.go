package engine_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/examples/internal/engine"
	"github.com/holdfast-go/holdfast/internal/ggml/scripted"
	"github.com/holdfast-go/holdfast/tempdir"
)

func parse(t *testing.T, args ...string) engine.Choice {
	t.Helper()
	var c engine.Choice
	flags := flag.NewFlagSet("x", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	c.Flags(flags)
	require.NoError(t, flags.Parse(args))
	return c
}

func TestFlags(t *testing.T) {
	c := parse(t)
	require.Equal(t, engine.WhisperCPP, c.Name)
	require.NoError(t, c.Check())
	c = parse(t, "-engine", "nemo", "-language", "de", "-words", "-beams", "2", "-threads", "3")
	require.Equal(t, engine.NeMo, c.Name)
	require.Equal(t, "de", c.Language)
	require.True(t, c.Words)
	require.Equal(t, 2, c.Beams)
	require.Equal(t, 3, c.Threads)
	for want, args := range map[string][]string{
		"needs -python":              {"-engine", "nemo", "-model", "x.nemo"},
		"needs -model":               {"-engine", "nemo", "-python", "python"},
		"are for -engine whispercpp": {"-engine", "nemo", "-python", "python", "-model", "x.nemo", "-beams", "2"},
	} {
		c = parse(t, args...)
		require.ErrorContains(t, c.Check(), want)
	}
	c = parse(t, "-engine", "nemo", "-python", "python", "-model", "x.nemo")
	require.NoError(t, c.Check())
	c = parse(t, "-engine", "kaldi")
	require.ErrorContains(t, c.Check(), `unknown engine "kaldi"`)
}

func openRoot(t *testing.T) (dir string, root *tempdir.Root) {
	t.Helper()
	dir, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	root, err = tempdir.Open(t.Context(), filepath.Join(dir, "root"), tempdir.Options{})
	require.NoError(t, err)
	return dir, root
}

func TestOpenNeMo(t *testing.T) {
	dir, root := openRoot(t)
	c := parse(t, "-engine", "nemo", "-python", os.Args[0], "-model", filepath.Join(dir, "absent.nemo"))
	_, err := c.Open(t.Context(), root, nil, nil)
	require.ErrorContains(t, err, "absent.nemo")
}

func TestOpenWhisper(t *testing.T) {
	dir, root := openRoot(t)
	model := filepath.Join(dir, "ggml-own.bin")
	var b bytes.Buffer
	require.NoError(t, scripted.Write(&b, scripted.Script{}))
	require.NoError(t, os.WriteFile(model, b.Bytes(), 0o600))

	c := parse(t, "-model", model, "-binary", os.Args[0], "-beams", "1", "-lang", "de")
	opened, err := c.Open(t.Context(), root, nil, nil)
	require.NoError(t, err)
	require.Equal(t, "own", opened.Engine().Model)
	require.Contains(t, opened.Engine().Fingerprint, "language=de beams=1")
	require.NoError(t, opened.Close())

	c = parse(t, "-model", model, "-server", os.Args[0], "-processes", "2")
	opened, err = c.Open(t.Context(), root, nil, nil)
	require.NoError(t, err)
	require.Equal(t, 2, opened.Engine().MaxParallel)
	require.NoError(t, opened.Close())
	c = parse(t, "-model", model, "-server", "no-such-server")
	_, err = c.Open(t.Context(), root, nil, nil)
	require.ErrorContains(t, err, "no-such-server")

	c = parse(t, "-model", model, "-binary", os.Args[0])
	require.NoError(t, os.Truncate(model, 1000))
	_, err = c.Open(t.Context(), root, nil, nil)
	require.ErrorIs(t, err, asr.ErrBadModel)
}
