// Package lane finds what tests need from outside the repository: engines,
// models, another system. Where something is missing the test is skipped with
// the reason; under HOLDFAST_REQUIRE, a list such as "whispercpp,wine", it
// fails instead, so that no lane of CI can go green by skipping.
package lane

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Missing ends a test that lacks what it needs.
func Missing(t testing.TB, lane, reason string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("HOLDFAST_REQUIRE"), ","), lane) {
		t.Fatalf("HOLDFAST_REQUIRE demands %s, but: %s", lane, reason)
	}
	t.Skip(reason)
}

// WhisperCPP gives the path of a real whisper.cpp program: the first of
// WhisperCPPs.
func WhisperCPP(t testing.TB) string {
	t.Helper()
	return WhisperCPPs(t)[0]
}

// WhisperCPPs gives the paths of real whisper.cpp programs, of several versions
// where there are some: those that HOLDFAST_WHISPER_CLI lists (as PATH does), or
// the one on the PATH, or the one that examples/transcribe has fetched.
func WhisperCPPs(t testing.TB) []string {
	t.Helper()
	if list := filepath.SplitList(os.Getenv("HOLDFAST_WHISPER_CLI")); len(list) > 0 {
		return list
	}
	for _, name := range []string{"whisper-cli", "whisper-cpp"} {
		if path, err := exec.LookPath(name); err == nil {
			return []string{path}
		}
	}
	if path := fetched("bin", "whisper-cpp-*"); path != "" {
		return []string{path}
	}
	Missing(t, "whispercpp", "no whisper.cpp: set HOLDFAST_WHISPER_CLI, or run `go run ./examples/transcribe` once")
	return nil
}

// WhisperServer gives the path of a real whisper-server:
// HOLDFAST_WHISPER_SERVER, or one on the PATH.
func WhisperServer(t testing.TB) string {
	t.Helper()
	for _, name := range []string{os.Getenv("HOLDFAST_WHISPER_SERVER"), "whisper-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, "whisperserver", "no whisper-server: set HOLDFAST_WHISPER_SERVER; .ci/whisper.sh builds one")
	return ""
}

// WhisperModel gives the path of the real tiny.en model: HOLDFAST_WHISPER_MODEL,
// or the one that examples/transcribe has fetched.
func WhisperModel(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("HOLDFAST_WHISPER_MODEL"); path != "" {
		return path
	}
	if path := fetched("models", "ggml-tiny.en.bin"); path != "" {
		return path
	}
	Missing(t, "whispercpp", "no model: set HOLDFAST_WHISPER_MODEL, or run `go run ./examples/transcribe` once")
	return ""
}

func fetched(dir, pattern string) string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	found, err := filepath.Glob(filepath.Join(cache, "holdfast", dir, pattern))
	if err != nil || len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}
