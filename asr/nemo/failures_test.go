package nemo_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/nemo"
	"github.com/holdfast-go/holdfast/internal/lane"
)

// control is plain NeMo in a process of its own, as a script would use it.
type control struct {
	t       testing.TB
	in      io.WriteCloser
	answers *bufio.Reader
}

type ask struct {
	Model string   `json:"model,omitempty"`
	Paths []string `json:"paths,omitempty"`
	Batch int      `json:"batch,omitempty"`
	Times bool     `json:"times,omitempty"`
	Held  []string `json:"held,omitempty"` // names of files that another program has open
}

type answer struct {
	Results []struct {
		Text  string
		Words []struct {
			Text       string
			Start, End float64
		}
	}
	Error []string // what was raised, and what it hides
}

func startControl(t testing.TB, b bench, env ...string) *control {
	t.Helper()
	cmd := exec.Command(b.python, absolute(t, "testdata/control.py"))
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), append(env, "TMPDIR="+cmd.Dir, "HOME="+cmd.Dir, "NUMBA_CACHE_DIR="+cmd.Dir, "PYTHONDONTWRITEBYTECODE=1")...)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var said strings.Builder
	cmd.Stderr = &said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("plain NeMo: %v\n%s", err, said.String())
		}
	})
	return &control{t, in, bufio.NewReader(out)}
}

func (c *control) ask(a ask) answer {
	c.t.Helper()
	require.NoError(c.t, json.NewEncoder(c.in).Encode(a))
	line, err := c.answers.ReadBytes('\n')
	require.NoError(c.t, err)
	var got answer
	require.NoError(c.t, json.Unmarshal(line, &got))
	return got
}

// windowsRule has all Python processes of a test obey Windows' rule that an open
// file can be neither deleted nor renamed. Other programs hold every file that
// NeMo could leave in those of the adapter, and in plain NeMo what each request
// names.
func windowsRule(t *testing.T, b bench) (plain *control) {
	t.Helper()
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		lane.Missing(t, "windows-rule", "the rule is emulated by /proc/self/fd")
	}
	t.Setenv("HOLDFAST_TEST_WINDOWS", "1")
	plain = startControl(t, b)
	t.Setenv("HOLDFAST_TEST_HELD", "manifest.json,model_weights.ckpt")
	return plain
}

// TestFailures repeats the failures that NeMo was seen to have under that rule,
// with the stand-in for NeMo; TestKinds does so with the real one.
func TestFailures(t *testing.T) {
	b := fake(t)
	plain := windowsRule(t, b)
	model := b.model(t, "ctc-bpe")
	failureTable(t, "ctc-bpe", model, b.open(t, nemo.Config{Model: model, Batch: 2}), plain)
}

// failureTable has plain NeMo and the adapter transcribe the same recordings:
// every transcript that can be had must come from the adapter, and the real
// error for the rest.
func failureTable(t *testing.T, kind, model string, engine *nemo.Transcriber, plain *control) {
	t.Helper()
	var table strings.Builder
	row := func(name, a, got string) { fmt.Fprintf(&table, "\n%-34s | %-75s | %s", name, a, got) }

	a := plain.ask(ask{Model: model, Held: []string{"model_weights.ckpt"}})
	require.NotEmpty(t, a.Error)
	_, err := engine.Start(t.Context())
	require.NoError(t, err, "a held file in the temporary directory costs the model")
	row("model_weights.ckpt is held", a.String(), "loaded")
	require.Empty(t, plain.ask(ask{Model: model}).Error)

	for _, c := range failures {
		dir := t.TempDir()
		var batch []asr.Utterance
		var paths []string
		for i, r := range c.recordings {
			u := r.utterance(t, dir, fmt.Sprintf("%d", i+1), c.special)
			batch, paths = append(batch, u), append(paths, u.Path)
		}
		var held []string
		if c.held {
			held = []string{"manifest.json"}
		}
		a := plain.ask(ask{Paths: paths, Batch: 2, Held: held})
		got := run(t.Context(), engine, batch...)
		row(c.name, a.String(), got.String())
		require.NoError(t, got.err, c.name)
		require.Equal(t, c.want, got.String(), c.name)
		for i, r := range c.recordings {
			if text, ok := got.texts[batch[i].ID]; ok && kind != "aed" { // whose weights are random
				require.Equal(t, r.text, text, c.name)
			}
		}
		if c.bad {
			for _, failed := range got.failed {
				require.ErrorIs(t, failed, asr.ErrBadAudio)
			}
		}
		if kind == "ctc-bpe" { // the others were seen to differ in some
			require.Equal(t, c.lost, a.Error != nil, "%s: plain NeMo: %v", c.name, a.Error)
			require.Equal(t, c.masked, a.masked(), "%s: %v", c.name, a.Error)
		}
	}
	t.Logf("%-33s | %-75s | %s%s", "under Windows' rule, batches of 2", "plain transcribe()", "through the adapter", table.String())
}

func (a answer) String() string {
	if a.Error == nil {
		return fmt.Sprintf("%d texts", len(a.Results))
	}
	shown := strings.Join(a.Error[:1], "")
	if inner := a.Error[len(a.Error)-1]; inner != a.Error[0] {
		shown = shown[:min(len(shown), 30)] + "… hides " + inner
	}
	return "all lost: " + shown[:min(len(shown), 65)]
}

// masked tells whether the real error was hidden by a failed removal.
func (a answer) masked() bool {
	return a.Error != nil && strings.Contains(a.Error[0], "manifest.json")
}

func (o outcome) String() string {
	said := fmt.Sprintf("%d texts", len(o.texts))
	ids := make([]string, 0, len(o.failed))
	for id := range o.failed {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		reason, _, _ := strings.Cut(o.failed[id].Err.Error(), ";")
		reason = strings.ReplaceAll(reason, filepath.Dir(o.failed[id].Path)+string(filepath.Separator), "")
		said += fmt.Sprintf("; %s: %s", id, reason)
	}
	return said
}

// recording is one of a row of the table.
type recording struct {
	text  string
	first int16  // asks the model for a failure
	bytes []byte // in place of all that
	none  bool   // there is no file
}

func (r recording) utterance(t *testing.T, dir, id, name string) asr.Utterance {
	u := asr.Utterance{ID: id, Path: filepath.Join(dir, name+id+".wav")}
	content := r.bytes
	if content == nil && !r.none {
		samples := say(r.text)
		if r.first != 0 {
			samples[0] = r.first
		}
		content = wav(samples, 1)
	}
	if !r.none {
		require.NoError(t, os.WriteFile(u.Path, content, 0o600))
	}
	return u
}

func truncated(text string) []byte {
	whole := wav(say(text), 1)
	return whole[:len(whole)-8000]
}

var (
	one, two, three = recording{text: "hello world"}, recording{text: "hold fast"}, recording{text: "keep every word"}
	fails           = recording{text: "voice note", first: failing}
)

// failures are the cases; plain NeMo loses the results of those that are marked.
var failures = []struct {
	name       string
	recordings []recording
	special    string // in the path of the recordings
	held       bool   // another program holds manifest.json
	lost       bool
	masked     bool // and shows the failed removal of a file instead of the cause
	bad        bool // what fails, fails for its audio
	want       string
}{
	{name: "all is well, 1 file", recordings: []recording{one}, want: "1 texts"},
	{name: "all is well, 5 files", recordings: []recording{one, two, three, one, two}, want: "5 texts"},
	{name: "1 file fails", recordings: []recording{fails}, lost: true, masked: true,
		want: "0 texts; 1: RuntimeError: the forward pass failed"},
	{name: "the 1st of 3 batches fails", recordings: []recording{fails, one, two, three, one}, lost: true, masked: true,
		want: "4 texts; 1: RuntimeError: the forward pass failed"},
	{name: "the 2nd of 3 batches fails", recordings: []recording{one, two, fails, three, one}, lost: true, masked: true,
		want: "4 texts; 3: RuntimeError: the forward pass failed"},
	{name: "the last, partial batch fails", recordings: []recording{one, two, fails}, lost: true,
		want: "2 texts; 3: RuntimeError: the forward pass failed"},
	{name: "the last, full batch fails", recordings: []recording{one, two, three, fails}, lost: true, masked: true,
		want: "3 texts; 4: RuntimeError: the forward pass failed"},
	{name: "out of memory with 2, not with 1", recordings: []recording{one, two, {text: "voice note", first: outOfMemoryInBatch}, three}, lost: true, masked: true,
		want: "4 texts"},
	{name: "manifest.json is held", recordings: []recording{one, two, three}, held: true, lost: true, masked: true, want: "3 texts"},
	{name: "bad header", recordings: []recording{one, {bytes: []byte("this is no audio")}, two}, lost: true, bad: true,
		want: "2 texts; 2: cannot read 2.wav: file does not start with RIFF id"},
	{name: "empty file", recordings: []recording{one, {bytes: []byte{}}, two}, lost: true, bad: true,
		want: "2 texts; 2: cannot read 2.wav: the file ends too early"},
	{name: "no file", recordings: []recording{one, {none: true}, two}, lost: true, bad: true,
		want: "2 texts; 2: cannot read 2.wav: No such file or directory"},
	{name: "no samples", recordings: []recording{one, {bytes: wav(nil, 1)}, two}, bad: true,
		want: "2 texts; 2: 2.wav has no samples"},
	{name: "a hundredth of a second", recordings: []recording{one, {bytes: wav(make([]int16, 160), 1)}, two}, want: "3 texts"},
	{name: "the end is missing", recordings: []recording{one, {bytes: truncated("hold fast")}, two}, bad: true,
		want: "2 texts; 2: 2.wav ends before its time: 18080 of 22080 samples are there"},
	{name: "stereo, alone", recordings: []recording{{bytes: wav(say("hello world"), 2)}}, lost: true, masked: true, bad: true,
		want: "0 texts; 1: 1.wav has 2 channels of 2 bytes at 16000 Hz"},
	{name: "brackets in the path", recordings: []recording{one, two}, special: "a (1) [2],{3}", want: "2 texts"},
}
