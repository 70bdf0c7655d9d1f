package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/ggml/scripted"
)

// Variables that make the test binary play the program, and what the engine
// that it starts (the test binary again) does.
const (
	playVariable  = "TRANSCRIBE_TEST_PLAY"
	delayVariable = "TRANSCRIBE_TEST_DELAY" // milliseconds that the engine takes
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(playVariable) == "":
		os.Exit(m.Run())
	case slices.Contains(os.Args, "--help"):
		fmt.Println(whisperHelp)
	case slices.Contains(os.Args, "-ojf"):
		os.Exit(playWhisper(os.Args[1:]))
	default:
		main()
	}
}

// whisperHelp is as much as the adapter has to read of the program's usage.
const whisperHelp = "usage: whisper-cli -m -f -of -ojf -l -bs -bo -t"

// playWhisper is a whisper.cpp that hears the number in the first sample. Like
// the real one it writes its output file straight under the final name.
func playWhisper(args []string) int {
	value := func(name string) string { return args[slices.Index(args, name)+1] }
	b, err := os.ReadFile(value("-f"))
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: failed to read audio file '%s'\n", value("-f"))
		return 0
	}
	if ms, err := strconv.Atoi(os.Getenv(delayVariable)); err == nil {
		time.Sleep(time.Duration(ms) * time.Millisecond)
	}
	text := fmt.Sprintf(" number %d", binary.LittleEndian.Uint16(b[44:]))
	out := fmt.Appendf(nil, `{"model": {"vocab": 51865}, "result": {"language": "en"}, "transcription": [
		{"offsets": {"from": 0, "to": 30000}, "text": "%s", "tokens": [
		{"id": 5, "p": 0.5, "offsets": {"from": 0, "to": 100}, "text": "%s"}]}]}`, text, text)
	if err := os.WriteFile(value("-of")+".json", out, 0o600); err != nil {
		fmt.Fprintf(os.Stderr, "open: failed to open '%s' for writing\n", value("-of"))
	}
	return 0
}

// desk is a folder with recordings and everything that the program needs to
// transcribe them with the played engine.
type desk struct {
	t                    *testing.T
	base, in, out, model string
}

func newDesk(t *testing.T, recordings int) *desk {
	t.Helper()
	base, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(base) })
	d := &desk{t: t, base: base, in: filepath.Join(base, "in"), out: filepath.Join(base, "out"), model: filepath.Join(base, "ggml-test.bin")}
	require.NoError(t, os.Mkdir(d.in, 0o700))
	for n := range recordings {
		d.record(fmt.Sprintf("%02d.wav", n), wav(n))
	}
	var model bytes.Buffer
	require.NoError(t, scripted.Write(&model, scripted.Script{}))
	require.NoError(t, os.WriteFile(d.model, model.Bytes(), 0o600))
	return d
}

func (d *desk) record(name string, content []byte) string {
	d.t.Helper()
	path := filepath.Join(d.in, name)
	require.NoError(d.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(d.t, os.WriteFile(path, content, 0o600))
	return path
}

// wav is a tenth of a second whose every sample is n.
func wav(n int) []byte {
	const samples = 1600
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, 36+2*samples)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, 2*samples)
	return append(b, bytes.Repeat(binary.LittleEndian.AppendUint16(nil, uint16(n)), samples)...)
}

// command makes the program's process; flags come before the defaults' names.
func (d *desk) command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], append([]string{
		"-root", filepath.Join(d.base, "root"), "-out", d.out, "-binary", os.Args[0], "-model", d.model,
	}, args...)...)
	cmd.Env = append(os.Environ(), playVariable+"=1")
	return cmd
}

// run runs the program to its end.
func (d *desk) run(args ...string) (code int, stdout, stderr string) {
	d.t.Helper()
	cmd := d.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, ended := err.(*exec.ExitError); !ended {
		require.NoError(d.t, err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func (d *desk) output(name string) string {
	d.t.Helper()
	b, err := os.ReadFile(filepath.Join(d.out, name))
	require.NoError(d.t, err)
	return string(b)
}

// lines reads what -json printed, as far as it is whole.
func lines(t *testing.T, stdout string) (all []line) {
	t.Helper()
	for text := range strings.Lines(stdout) {
		if !strings.HasSuffix(text, "\n") {
			break
		}
		var l line
		require.NoError(t, json.Unmarshal([]byte(text), &l))
		all = append(all, l)
	}
	return all
}

// runInProcess is for what needs no process of its own.
func runInProcess(args ...string) (code int, stderr string) {
	var out, errs bytes.Buffer
	code = run(context.Background(), args, &out, &errs)
	return code, errs.String()
}
