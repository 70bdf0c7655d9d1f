package whispercpp_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/internal/lane"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// A whole run, staged, hashed, journaled, beside a shell loop over the same
// engine and the same ten recordings: in turn, in one process, ratio of the wall
// times. -benchtime 5x makes five pairs.
func BenchmarkRunBesideShellLoop(b *testing.B) {
	binary, model := lane.WhisperCPP(b), lane.WhisperModel(b)
	base, err := os.MkdirTemp("", "hf-")
	require.NoError(b, err)
	b.Cleanup(func() { os.RemoveAll(base) })
	in := filepath.Join(base, "in")
	require.NoError(b, os.Mkdir(in, 0o700))
	spoken, err := os.ReadFile(filepath.Join("..", "..", "examples", "transcribe", "sample.wav"))
	require.NoError(b, err)
	for n := range 10 {
		spoken[len(spoken)-1] = byte(n) // so that no two are the same
		require.NoError(b, os.WriteFile(filepath.Join(in, fmt.Sprintf("%d.wav", n)), spoken, 0o600))
	}

	shell := func(round int) time.Duration {
		out := filepath.Join(base, fmt.Sprintf("shell-%d", round))
		require.NoError(b, os.Mkdir(out, 0o700))
		script := `for f in "$1"/*.wav; do "$2" -m "$3" -f "$f" -of "$4/$(basename "$f")" -ojf -np -l en -bs 5 -bo 5 >/dev/null 2>&1; done`
		start := time.Now()
		require.NoError(b, exec.Command("sh", "-c", script, "sh", in, binary, model, out).Run())
		took := time.Since(start)
		made, err := filepath.Glob(filepath.Join(out, "*.json"))
		require.NoError(b, err)
		require.Len(b, made, 10)
		return took
	}
	ours := func(round int) time.Duration {
		ctx := b.Context()
		start := time.Now()
		root, err := tempdir.Open(ctx, filepath.Join(base, "root"), tempdir.Options{})
		require.NoError(b, err)
		journal, err := manifest.OpenJournal(ctx, filepath.Join(base, fmt.Sprintf("%d.jsonl", round)), manifest.Options{})
		require.NoError(b, err)
		engine, err := whispercpp.Open(ctx, whispercpp.Config{Binary: binary, Model: model, Root: root, Language: "en"})
		require.NoError(b, err)
		report, err := asr.Run(ctx, engine, asr.Files(ctx, in), asr.Options{Root: root, Journal: journal})
		require.NoError(b, err)
		require.Equal(b, 10, report.Done)
		require.NoError(b, engine.Close())
		require.NoError(b, journal.Close())
		return time.Since(start)
	}
	var a, z time.Duration
	var ratios bytes.Buffer
	round := 0
	for b.Loop() {
		var x, y time.Duration
		if round++; round%2 == 0 {
			x, y = ours(round), shell(round)
		} else {
			y, x = shell(round), ours(round)
		}
		fmt.Fprintf(&ratios, " %.3f", x.Seconds()/y.Seconds())
		a, z = a+x, z+y
	}
	b.Logf("each pair:%s", strings.TrimSpace(ratios.String()))
	b.ReportMetric(a.Seconds()/z.Seconds(), "ours/shell")
	b.ReportMetric(0, "ns/op")
}
