package main

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/lane"
	"github.com/holdfast-go/holdfast/manifest"
)

// Three workers with the real engine give the texts that one machine gives.
func TestRealEngine(t *testing.T) {
	binary, model := lane.WhisperCPP(t), lane.WhisperModel(t)
	d := newDesk(t, 0)
	speech, err := os.ReadFile("../transcribe/sample.wav")
	require.NoError(t, err)
	for name, part := range map[string][2]int{"a": {0, 8}, "b": {0, 4}, "c": {4, 8}, "d": {2, 6}} { // eighths
		require.NoError(t, os.WriteFile(filepath.Join(d.in, name+".wav"), cut(speech, part[0], part[1]), 0o600))
	}
	cmd := exec.Command("go", "run", "../transcribe", "-root", filepath.Join(d.base, "r"), "-out", filepath.Join(d.base, "one"), "-quiet", "-threads", "1",
		"-binary", binary, "-model", model, d.in)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	want := make(map[string]string)
	one, err := manifest.Load(t.Context(), filepath.Join(d.base, "one", journalName), manifest.Options{})
	require.NoError(t, err)
	for _, e := range one {
		want[e.AudioPath] = e.PredText
	}
	require.Len(t, want, 4)

	d.serve()
	for range 3 {
		d.work("-binary", binary, "-model", model, "-threads", "1") // three times four would stand in each other's way
	}
	code, _, stderr := d.run("submit", d.in)
	require.Zero(t, code, stderr)
	code, _, stderr = d.run("collect")
	require.Zero(t, code, stderr)
	many, err := manifest.Load(t.Context(), filepath.Join(d.out, transcriptsName), manifest.Options{})
	require.NoError(t, err)
	require.Len(t, many, 4)
	for _, e := range many {
		require.Equal(t, want[e.AudioPath], e.PredText, e.AudioPath)
	}
}

// cut gives the stretch of a plain WAV from one eighth to another.
func cut(wav []byte, from, to int) []byte {
	eighth := (len(wav) - 44) / 8 &^ 1
	part := append([]byte(nil), wav[:44]...)
	part = append(part, wav[44+from*eighth:44+to*eighth]...)
	binary.LittleEndian.PutUint32(part[4:], uint32(len(part)-8))
	binary.LittleEndian.PutUint32(part[40:], uint32(len(part)-44))
	return part
}
