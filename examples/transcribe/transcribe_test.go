package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/lane"
)

func TestTranscribesAndResumes(t *testing.T) {
	d := newDesk(t, 3)
	code, stdout, stderr := d.run(d.in)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "number 2")
	require.Equal(t, "number 1\n", d.output("01.txt"))
	require.Contains(t, d.output("01.srt"), "00:00:00,000 --> 00:00:00,100\nnumber 1\n", "times end with the recording")
	require.Len(t, strings.Split(strings.TrimSpace(d.output(journalName)), "\n"), 3)

	// Again, with an engine that cannot run.
	engine := filepath.Join(d.base, "not-a-program")
	require.NoError(t, os.WriteFile(engine, nil, 0o600))
	code, stdout, stderr = d.run("-binary", engine, "-json", d.in)
	require.Zero(t, code, stderr)
	require.Contains(t, stderr, "resumed: 3 of 3")
	for n, l := range lines(t, stdout) {
		require.True(t, l.Resumed)
		require.Equal(t, fmt.Sprintf("number %d", n), l.Text)
		require.Len(t, l.Segments, 1)
		require.Equal(t, "en", l.Language)
		require.NotEmpty(t, l.ID)
		require.Equal(t, filepath.Join(d.in, fmt.Sprintf("%02d.wav", n)), l.AudioPath)
	}
}

func TestWritesMissingOutputAgain(t *testing.T) {
	d := newDesk(t, 1)
	code, _, stderr := d.run(d.in)
	require.Zero(t, code, stderr)
	require.NoError(t, os.Remove(filepath.Join(d.out, "00.txt")))
	code, _, stderr = d.run("-format", "all", d.in)
	require.Zero(t, code, stderr)
	for _, name := range []string{"00.txt", "00.srt", "00.json", "00.vtt", "00.tsv", "00.ctm"} {
		require.Contains(t, d.output(name), "0", name)
	}
}

// What somebody has corrected, or has put there, stays as it is.
func TestLeavesOtherFilesAlone(t *testing.T) {
	d := newDesk(t, 1)
	notes := filepath.Join(d.out, "00.srt")
	require.NoError(t, os.Mkdir(d.out, 0o700))
	require.NoError(t, os.WriteFile(notes, []byte("made by hand"), 0o600))
	code, stdout, stderr := d.run("-json", d.in)
	require.Zero(t, code, stderr)
	id := lines(t, stdout)[0].ID
	require.Equal(t, "made by hand", d.output("00.srt"))
	require.Contains(t, d.output("00-"+id+".srt"), "number 0")
	require.Contains(t, stderr, "00-"+id+".srt", "where it is")

	for _, name := range []string{"00.txt", "00-" + id + ".srt"} {
		require.NoError(t, os.WriteFile(filepath.Join(d.out, name), []byte("corrected"), 0o600))
	}
	for range 2 {
		code, _, stderr = d.run(d.in)
		require.Zero(t, code, stderr)
		require.Equal(t, "corrected", d.output("00.txt"))
		require.Equal(t, "corrected", d.output("00-"+id+".srt"))
		require.Equal(t, "number 0\n", d.output("00-"+id+".txt"))
	}
	require.NotContains(t, stderr, "00-"+id, "it is told once")

	// Another recording of that name, by a command of its own.
	other := d.record("elsewhere/00.wav", wav(7))
	code, _, stderr = d.run("-format", "vtt", filepath.Join(d.in, "00.wav"))
	require.Zero(t, code, stderr)
	code, stdout, stderr = d.run("-json", "-format", "vtt", other)
	require.Zero(t, code, stderr)
	require.Contains(t, d.output("00.vtt"), "number 0")
	require.Contains(t, d.output("00-"+lines(t, stdout)[0].ID+".vtt"), "number 7")
}

func TestFoldersAndEqualNames(t *testing.T) {
	d := newDesk(t, 0)
	d.record("a/talk.wav", wav(1))
	d.record("b/talk.wav", wav(2))
	code, _, stderr := d.run("-format", "txt", d.in)
	require.Zero(t, code, stderr)
	require.Equal(t, "number 1\n", d.output("a/talk.txt"))
	require.Equal(t, "number 2\n", d.output("b/talk.txt"))

	code, stdout, stderr := d.run("-format", "txt", "-json", filepath.Join(d.in, "a/talk.wav"), filepath.Join(d.in, "b/talk.wav"))
	require.Zero(t, code, stderr)
	require.Equal(t, "number 1\n", d.output("talk.txt"))
	require.Equal(t, "number 2\n", d.output("talk-"+lines(t, stdout)[1].ID+".txt"))
}

func TestBadInputsCostNobodyElse(t *testing.T) {
	d := newDesk(t, 2)
	empty := d.record("empty.wav", nil)
	text := d.record("text.wav", []byte("this is a text"))
	cut := d.record("cut.wav", wav(7)[:1000])
	absent := filepath.Join(d.in, "absent.wav")
	code, _, stderr := d.run(d.in, absent)
	require.Equal(t, exitFailed, code)
	for path, cause := range map[string]string{
		empty: "empty file", text: "looks like text", cut: "not copied whole", absent: "(no such file|not found|cannot find)",
	} {
		require.Regexp(t, fmt.Sprintf(`(?m)^transcribe:? .*%s.*%s`, filepath.Base(path), cause), stderr)
	}
	require.Contains(t, stderr, "2 transcribed, 0 resumed, 4 failed")
	require.Equal(t, "number 1\n", d.output("01.txt"))
	require.NoFileExists(t, filepath.Join(d.out, "cut.txt"))
}

func TestUsage(t *testing.T) {
	d := newDesk(t, 1)
	file := d.record("00.wav", wav(1))
	damaged, absent := filepath.Join(d.base, "damaged.bin"), filepath.Join(d.base, "no-such")
	model, err := os.ReadFile(d.model)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(damaged, model[:300_000], 0o600)) // in the vocabulary
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag":      {[]string{"-nonsense"}, "nonsense"},
		"unknown engine":    {[]string{"-engine", "x", file}, "unknown engine"},
		"unknown format":    {[]string{"-format", "docx", file}, "docx"},
		"unknown language":  {[]string{"-lang", "klingon", file}, "klingon"},
		"unknown model":     {[]string{"-model", "gigantic", file}, "tiny.en"},
		"missing model":     {[]string{"-model", absent, file}, "no-such"},
		"damaged model":     {[]string{"-model", damaged, file}, "bad model"},
		"missing binary":    {[]string{"-binary", absent, file}, "no-such"},
		"bad root":          {[]string{"-root", filepath.Join(d.base, "a,b"), file}, "characters"},
		"output is a file":  {[]string{"-out", file, file}, "00.wav"},
		"no input, no repo": {nil, "name a recording"},
		"no NeMo":           {[]string{"-engine", "nemo", file}, "needs -python"},
		"watched file":      {[]string{"-watch", file}, "not a folder"},
		"below zero":        {[]string{"-parallel", "-1", file}, "below 0"},
	} {
		cmd := d.command(c.args...)
		cmd.Dir = d.base
		out, err := cmd.CombinedOutput()
		require.Error(t, err, name)
		require.Equal(t, exitUsage, cmd.ProcessState.ExitCode(), "%s: %s", name, out)
		require.Contains(t, string(out), c.want, name)
	}
}

func TestTwoRunsAtATime(t *testing.T) {
	d := newDesk(t, 2)
	first := d.command(d.in)
	first.Env = append(first.Env, delayVariable+"=60000")
	stderr, err := first.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, first.Start())
	defer first.Wait()
	defer first.Process.Kill()
	_, err = stderr.Read(make([]byte, 1)) // it works: the journal is open
	require.NoError(t, err)

	code, _, message := d.run(d.in)
	require.Equal(t, exitUsage, code)
	require.Contains(t, message, journalName)
}

// The real engine reads the sample without an error.
func TestSampleWithRealEngine(t *testing.T) {
	binary, model := lane.WhisperCPP(t), lane.WhisperModel(t)
	d := newDesk(t, 0)
	wd, err := os.Getwd()
	require.NoError(t, err)
	code, stdout, stderr := d.run("-binary", binary, "-model", model, "-json", "-words", "-format", "txt,srt,json,ctm", filepath.Join(wd, "sample.wav"))
	require.Zero(t, code, stderr)
	got := lines(t, stdout)
	require.Len(t, got, 1)
	require.Equal(t, "Good morning everyone. Today we will talk about the history of the railway in England.", got[0].Text)
	require.Len(t, got[0].Words, 15)
	require.False(t, got[0].Resumed)
	require.Contains(t, d.output("sample.srt"), "-->")
	require.Contains(t, d.output("sample.ctm"), "sample 1 ")
}

func TestHelp(t *testing.T) {
	code, stderr := runInProcess("-h")
	require.Equal(t, exitOK, code)
	for _, name := range []string{"-engine", "-model", "-binary", "-python", "-root", "-out", "-format", "-lang", "-words", "-json", "-quiet",
		"-watch", "-parallel", "-server", "-processes", "-language", "-beams", "-threads"} {
		require.Regexp(t, `(?m)^  `+name+`\b`, stderr)
	}
}

// Without a journal nothing can be kept: a watched folder is not transcribed
// again and again for nothing.
func TestStopsWhenNothingCanBeKept(t *testing.T) {
	d := newDesk(t, 3)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("needs /dev/full")
	}
	defer full.Close()
	cmd := d.command("-json", "-watch", d.in)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = full, &said
	require.Error(t, cmd.Run())
	require.Equal(t, exitUsage, cmd.ProcessState.ExitCode(), said.String())
	require.Regexp(t, "write .*(no space left on device|Disk full)", said.String()) // Linux, Wine
	require.Positive(t, strings.Count(d.output(journalName), "\n"), "what was heard is kept")
}
