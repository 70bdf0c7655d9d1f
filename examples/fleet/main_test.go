package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/proc"
	"github.com/holdfast-go/holdfast/manifest"
)

// Variables that make the test binary play the program, and its engine.
const (
	playVariable    = "FLEET_TEST_PLAY"
	whisperVariable = "FLEET_TEST_WHISPER"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(whisperVariable) != "":
		os.Exit(playWhisper(os.Args[1:]))
	case os.Getenv(playVariable) != "":
		main()
	default:
		os.Exit(m.Run())
	}
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

// desk is a folder with recordings and a server's address.
type desk struct {
	t                  *testing.T
	base, in, out, url string
}

func newDesk(t *testing.T, recordings int) *desk {
	t.Helper()
	base, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(base) })
	d := &desk{t: t, base: base, in: filepath.Join(base, "in"), out: filepath.Join(base, "out")}
	require.NoError(t, os.Mkdir(d.in, 0o700))
	for n := range recordings {
		require.NoError(t, os.WriteFile(filepath.Join(d.in, fmt.Sprintf("%02d.wav", n)), wav(n), 0o600))
	}
	return d
}

// process starts the program, which ends with the test, and gives the first
// line that it says.
func (d *desk) process(args ...string) (first func() string) {
	d.t.Helper()
	said := make(chan string, 100)
	p, err := proc.Start(d.t.Context(), proc.Command{
		Path: os.Args[0], Args: args, Env: append(os.Environ(), playVariable+"=1"),
		Stdout: func(line []byte) { said <- string(line) },
		Stderr: func(line []byte) { d.t.Logf("%s: %s", args[0], line) },
	})
	require.NoError(d.t, err)
	d.t.Cleanup(func() {
		p.Kill()
		_, _ = p.Wait()
	})
	return func() string {
		select {
		case line := <-said:
			return line
		case <-p.Done():
			result, err := p.Wait()
			require.NoError(d.t, err, result.Tail)
			return ""
		}
	}
}

// serve starts the server.
func (d *desk) serve(args ...string) {
	d.t.Helper()
	first := d.process(append([]string{"serve", "-store", filepath.Join(d.base, "s"), "-listen", "127.0.0.1:0"}, args...)...)()
	url, _, ok := strings.Cut(strings.TrimPrefix(first, "serving "), ",")
	require.True(d.t, ok, first)
	d.url = url
}

func (d *desk) work(args ...string) {
	d.t.Helper()
	d.process(append([]string{"work", "-url", d.url, "-root", filepath.Join(d.base, "w")}, args...)...)
}

// run runs the program to its end, with the flags that each command needs.
func (d *desk) run(command string, args ...string) (code int, stdout, stderr string) {
	d.t.Helper()
	flags := []string{command, "-url", d.url}
	if command == "submit" || command == "collect" {
		flags = append(flags, "-out", d.out)
	}
	var out, errs bytes.Buffer
	code = run(d.t.Context(), append(flags, args...), &out, &errs)
	return code, out.String(), errs.String()
}

// texts reads what collect has published.
func (d *desk) texts() (texts []string) {
	d.t.Helper()
	entries, err := manifest.Load(d.t.Context(), filepath.Join(d.out, transcriptsName), manifest.Options{})
	require.NoError(d.t, err)
	for _, e := range entries {
		texts = append(texts, e.PredText)
	}
	return texts
}

// Four processes: a server, two workers, and whoever submits and collects.
func TestFleet(t *testing.T) {
	d := newDesk(t, 12)
	d.serve()
	d.work("-engine", "fake", "-fake-time", "1ms")
	d.work("-engine", "fake", "-fake-time", "1ms")
	code, out, stderr := d.run("submit", d.in)
	require.Zero(t, code, stderr)
	require.Contains(t, out, "12 utterances; 12 submitted, 0 waiting already, 0 done already")
	code, out, stderr = d.run("collect")
	require.Zero(t, code, stderr)
	require.Contains(t, out, "12 transcribed, 0 collected earlier, 0 failed")
	var want []string
	for n := range 12 {
		want = append(want, fmt.Sprintf("recording %x", sha256.Sum256(wav(n))))
	}
	require.Equal(t, want, d.texts())

	code, out, _ = d.run("submit", d.in)
	require.Zero(t, code)
	require.Contains(t, out, "0 submitted, 0 waiting already, 12 done already")
	code, out, _ = d.run("status")
	require.Zero(t, code)
	require.Contains(t, out, "batch: 12 of 12 done, 0 waiting")
}

func TestTokenAndFailures(t *testing.T) {
	d := newDesk(t, 2)
	token := filepath.Join(d.base, "token")
	d.serve("-token-file", token) // which makes it
	info, err := os.Stat(token)
	require.NoError(t, err)
	require.Greater(t, info.Size(), int64(20))
	require.NoError(t, os.WriteFile(filepath.Join(d.in, "bad.wav"), []byte("text"), 0o600))
	d.work("-token-file", token, "-engine", "fake", "-fake-time", "0s")
	code, _, stderr := d.run("submit", d.in)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "Authorization")
	code, _, stderr = d.run("submit", "-token-file", token, d.in)
	require.Zero(t, code, stderr)
	code, out, stderr := d.run("collect", "-token-file", token)
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "2 transcribed, 0 collected earlier, 1 failed")
	require.Regexp(t, "bad.wav: .*looks like text", stderr)
	require.Len(t, d.texts(), 2)
}

func TestCancelled(t *testing.T) {
	d := newDesk(t, 3)
	d.serve()
	code, _, stderr := d.run("submit", d.in)
	require.Zero(t, code, stderr)
	code, _, _ = d.run("cancel")
	require.Zero(t, code)
	code, _, stderr = d.run("collect")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "cancelled")
	_, out, _ := d.run("status")
	require.Contains(t, out, "0 of 3 done, 0 waiting, cancelled")
}

func TestUsage(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, nobody.Close())
	base := t.TempDir()
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"nothing":         {nil, exitUsage, "usage: fleet"},
		"help":            {[]string{"-h"}, exitOK, "usage: fleet"},
		"unknown command": {[]string{"fly"}, exitUsage, "unknown command"},
		"unknown flag":    {[]string{"work", "-out", "x"}, exitUsage, "-out"},
		"unknown engine":  {[]string{"work", "-engine", "x"}, exitUsage, "unknown engine"},
		"unexpected name": {[]string{"collect", "x"}, exitUsage, "unexpected"},
		"no input":        {[]string{"submit"}, exitUsage, "name a recording"},
		"public address":  {[]string{"serve", "-store", filepath.Join(base, "s"), "-listen", "0.0.0.0:0"}, exitUsage, "needs a token"},
		"no such token":   {[]string{"status", "-token-file", filepath.Join(base, "none")}, exitUsage, "none"},
		"half a key":      {[]string{"status", "-tls-cert", filepath.Join(base, "none")}, exitUsage, "none"},
		"no server":       {[]string{"status", "-url", "nats://" + nobody.Addr().String(), "-patience", "1s"}, exitUsage, "refused"},
		"no shard":        {[]string{"split", "-n", "0", base}, exitUsage, "at least"},
		"no journal":      {[]string{"merge"}, exitUsage, "name the journals"},
		"bad root":        {[]string{"work", "-engine", "fake", "-root", filepath.Join(base, "a,b")}, exitUsage, "characters"},
	} {
		var out, errs bytes.Buffer
		require.Equal(t, c.code, run(context.Background(), c.args, &out, &errs), "%s: %s", name, errs.String())
		require.Contains(t, errs.String(), c.want, name)
	}
	for _, command := range []string{"serve", "work", "submit", "collect", "status", "cancel", "split", "merge"} {
		var out, errs bytes.Buffer
		require.Zero(t, run(t.Context(), []string{command, "-h"}, &out, &errs))
		require.Contains(t, errs.String(), "-quiet", command)
	}
}
