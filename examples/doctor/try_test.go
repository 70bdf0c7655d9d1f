package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/lane"
)

func TestTryWithRealEngine(t *testing.T) {
	p := newPatient(t)
	p.d.binary, p.d.model, p.d.trial = lane.WhisperCPP(t), lane.WhisperModel(t), true
	p.d.machine.run = thisMachine(nil).run
	all, output, sick := p.examine()
	require.False(t, sick, output)
	require.Contains(t, output, "All is well.")
	f := find(t, all, "try whisper.cpp")
	require.Equal(t, ok, f.Status)
	require.Regexp(t, `transcribed a second of silence with ggml-tiny\.en\.bin in [0-9.]+ s`, f.Text)
	entries, err := os.ReadDir(filepath.Join(p.d.root, "s"))
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestTryFails(t *testing.T) {
	program, err := exec.LookPath("false")
	if err != nil {
		t.Skip("needs a program named false")
	}
	p := newPatient(t)
	p.d.model, p.d.trial = p.model("ggml-own.bin", scriptedModel(t)), true
	p.d.binary = program
	all, output, sick := p.examine()
	require.True(t, sick, output)
	f := find(t, all, "try whisper.cpp")
	require.Equal(t, problem, f.Status)
	require.Contains(t, f.Text, "whispercpp")
	require.NotEmpty(t, f.Do)

	p = newPatient(t)
	p.d.trial = true
	all, output, _ = p.examine()
	require.Equal(t, note, find(t, all, "try whisper.cpp").Status, "there is no model")
	require.Contains(t, output, "All is well, as far as can be seen; no engine was there to be tried.")

	p = newPatient(t)
	p.d.trial, p.d.python = true, "/x/python"
	all, _, sick = p.examine()
	require.True(t, sick)
	require.Contains(t, find(t, all, "try NeMo").Text, "needs -model")
}
