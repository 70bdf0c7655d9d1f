package whispercpp_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// What a failure is: of the utterance, which is then set aside, or of the
// engine, which is then started again, unless that is useless.
func TestFailures(t *testing.T) {
	const utterance, engine, fatal = "utterance", "engine", "fatal"
	for _, c := range []struct {
		role   string
		server bool
		fault  string
		is     error
		says   string
	}{
		{"crashes", false, engine, nil, "crashed"},
		{"aborts", false, engine, nil, "GGML_ASSERT"},
		{"no memory", false, engine, asr.ErrOutOfMemory, "out of memory"},
		{"no memory for the model", false, engine, asr.ErrOutOfMemory, "out of memory"},
		{"refuses the model", false, fatal, asr.ErrBadModel, "could not load"},
		{"unknown option", false, fatal, nil, "unknown argument: -ojf"},
		{"other processor", false, fatal, nil, "another processor"},
		{"not whisper", false, fatal, nil, "is not whisper.cpp's program"},
		{"too old", false, fatal, nil, "does not know -ojf"},
		{"crashes at once", false, engine, nil, "crashed"},
		{"unreadable", false, utterance, asr.ErrBadAudio, "failed to read audio"},
		{"no output", false, utterance, asr.ErrNoResult, "exit code 0"},
		{"garbage", false, utterance, nil, "damaged"},
		{"half", false, utterance, nil, "damaged"},
		{"other model", false, utterance, nil, "another model"},

		{"crashes", true, engine, nil, "crashed"},
		{"ends in the middle", true, engine, nil, "in the middle of its work"},
		{"ends at start", true, engine, nil, "as it was started"},
		{"refuses the model", true, fatal, asr.ErrBadModel, "could not load"},
		{"no memory", true, engine, asr.ErrOutOfMemory, "bad_alloc"},
		{"not whisper", true, fatal, nil, "is not whisper.cpp's program"},
		{"too old", true, fatal, nil, "does not know --host"},
		{"404", true, engine, nil, "another program answers"},
		{"400", true, utterance, asr.ErrBadAudio, "bad audio"},
		{"500", true, utterance, nil, "failed to process audio"},
		{"garbage", true, utterance, nil, "damaged"},
		{"no segments", true, utterance, nil, "no segments"},
	} {
		name := c.role
		if c.server {
			name += ", server"
		}
		t.Run(name, func(t *testing.T) {
			e := openFake(t, c.role, c.server, nil)
			u := second(t)
			_, err := transcribe(t.Context(), e, u)
			failed, isUtterance := errors.AsType[*asr.UtteranceError](err)
			dead, isEngine := errors.AsType[*asr.EngineError](err)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "\n")
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			if c.fault == utterance {
				require.True(t, isUtterance, "%#v", err)
				require.Equal(t, u.ID, failed.ID)
			} else {
				require.False(t, isUtterance)
				require.True(t, isEngine, "%#v", err)
				require.Equal(t, c.fault == fatal, dead.Fatal)
			}
		})
	}
}

// The next call starts the engine again.
func TestStartsAgain(t *testing.T) {
	bothModes(t, func(t *testing.T, server bool) {
		e := openFake(t, "crashes first", server, nil)
		_, err := transcribe(t.Context(), e, second(t))
		_, dead := errors.AsType[*asr.EngineError](err)
		require.True(t, dead, "%v", err)
		got, err := transcribe(t.Context(), e, second(t))
		require.NoError(t, err)
		require.Equal(t, "fake words", got.Text)
	})
}

// A program that is not there, or is none, is not tried again.
func TestCannotStart(t *testing.T) {
	bothModes(t, func(t *testing.T, server bool) {
		for name, spoil := range map[string]func(path string) error{
			"gone":    os.Remove,
			"no exec": func(path string) error { return os.WriteFile(path, []byte("text"), 0o600) },
		} {
			path := filepath.Join(t.TempDir(), "program.exe")
			require.NoError(t, os.WriteFile(path, []byte("text"), 0o700))
			e := openFake(t, "well", server, func(c *whispercpp.Config) {
				if server {
					c.Server = path
				} else {
					c.Binary = path
				}
			})
			require.NoError(t, spoil(path))
			_, err := transcribe(t.Context(), e, second(t))
			dead, ok := errors.AsType[*asr.EngineError](err)
			require.True(t, ok, "%s: %v", name, err)
			require.True(t, dead.Fatal, "%s: %v", name, err)
			require.ErrorContains(t, err, "program.exe")
		}
	})
}

// The exit code is a hint only: a transcript that is whole counts.
func TestCompleteOutputCounts(t *testing.T) {
	for _, role := range []string{"well", "crashes at last", "floods", "unreadable first"} {
		e := openFake(t, role, false, nil)
		got, err := transcribe(t.Context(), e, second(t))
		require.NoError(t, err, role)
		require.Equal(t, "fake words", got.Text, role)
	}
}

// A model that is replaced while the engine is open would give transcripts
// under the name of the other.
func TestModelChanges(t *testing.T) {
	bothModes(t, func(t *testing.T, server bool) {
		var model string
		e := openFake(t, "well", server, func(c *whispercpp.Config) { model = c.Model })
		b, err := os.ReadFile(model)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(model+".new", b, 0o600))
		require.NoError(t, os.Rename(model+".new", model))
		_, err = transcribe(t.Context(), e, second(t))
		dead, ok := errors.AsType[*asr.EngineError](err)
		require.True(t, ok, "%v", err)
		require.True(t, dead.Fatal)
		require.ErrorIs(t, err, asr.ErrBadModel)
	})
}

// A model with a name that does not arrive on Windows gets another.
func TestModelPathBeyondASCII(t *testing.T) {
	e := openFake(t, "paths", false, func(c *whispercpp.Config) {
		dir := filepath.Join(t.TempDir(), "模型 é")
		require.NoError(t, os.Mkdir(dir, 0o700))
		path := filepath.Join(dir, "ggml-tïny.bin")
		require.NoError(t, os.Rename(c.Model, path))
		c.Model = path
	})
	require.Equal(t, "tïny", e.Engine().Model)
	for range 2 {
		got, err := transcribe(t.Context(), e, second(t))
		require.NoError(t, err)
		require.False(t, strings.ContainsFunc(got.Text, func(r rune) bool { return r > 127 }), got.Text)
		require.True(t, strings.HasSuffix(got.Text, "/model.bin"), got.Text)
	}
}

func TestCancelWhileItHangs(t *testing.T) {
	bothModes(t, func(t *testing.T, server bool) {
		e := openFake(t, "hangs", server, nil)
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("enough")
		u := second(t)
		u.Heard = func(s asr.Segment) { cancel(reason) }
		_, err := transcribe(ctx, e, u)
		require.ErrorIs(t, err, reason)
		_, ok := errors.AsType[*asr.UtteranceError](err)
		require.True(t, ok)

		t.Setenv("WHISPERCPP_TEST_ROLE", "well")
		got, err := transcribe(t.Context(), e, second(t))
		require.NoError(t, err, "it is started again")
		require.Equal(t, "fake words", got.Text)
	})
}

// What the engine has given counts, whatever happens next.
func TestCancelAfterTheOutput(t *testing.T) {
	e := openFake(t, "hangs at last", false, nil)
	ctx, cancel := context.WithCancel(t.Context())
	u := second(t)
	heard := 0
	u.Heard = func(s asr.Segment) {
		if heard++; heard == 2 {
			cancel()
		}
	}
	got, err := transcribe(ctx, e, u)
	require.NoError(t, err)
	require.Equal(t, "fake words", got.Text)
}

func TestCloseWhileItHangs(t *testing.T) {
	bothModes(t, func(t *testing.T, server bool) {
		e := openFake(t, "hangs", server, nil)
		u := second(t)
		heard := make(chan struct{})
		u.Heard = func(s asr.Segment) { close(heard) }
		var closing sync.WaitGroup
		closing.Go(func() {
			<-heard
			e.Close()
		})
		_, err := transcribe(t.Context(), e, u)
		dead, ok := errors.AsType[*asr.EngineError](err)
		require.True(t, ok, "%v", err)
		require.True(t, dead.Fatal)
		closing.Wait()
	})
}

func TestHeard(t *testing.T) {
	bothModes(t, func(t *testing.T, server bool) {
		e := openFake(t, "well", server, func(c *whispercpp.Config) { c.Words = true })
		u := second(t)
		u.Duration = 500 * time.Millisecond
		var heard []asr.Segment
		u.Heard = func(s asr.Segment) { heard = append(heard, s) }
		got, err := transcribe(t.Context(), e, u)
		require.NoError(t, err)
		want := []asr.Segment{{Start: 0, End: 500 * time.Millisecond, Text: "fake words"}}
		require.Equal(t, want, got.Segments)
		if server {
			require.Equal(t, "de", got.Language)
			require.Equal(t, []asr.Word{
				{Start: 0, End: 400 * time.Millisecond, Text: "fake", Confidence: 0.5},
				{Start: 400 * time.Millisecond, End: 500 * time.Millisecond, Text: "words", Confidence: 1},
			}, got.Words)
		}
		if len(heard) > 0 || !server { // a server's messages may be late
			require.Equal(t, want, heard)
		}
	})
}

func TestServerRequest(t *testing.T) {
	e := openFake(t, "form", true, nil)
	u := second(t)
	u.Language = "ja"
	got, err := transcribe(t.Context(), e, u)
	require.NoError(t, err)
	require.Equal(t, "64044 verbose_json ja 1 1 100000 true", got.Text)
}

func TestServerPortIsTaken(t *testing.T) {
	e := openFake(t, "port is taken first", true, nil)
	got, err := transcribe(t.Context(), e, second(t))
	require.NoError(t, err)
	require.Equal(t, "fake words", got.Text)
}

// There are as many servers as calls at the same time, and no more.
func TestServerPool(t *testing.T) {
	board, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer board.Close()
	t.Setenv("WHISPERCPP_TEST_ADDR", board.Addr().String())
	e := openFake(t, "together", true, func(c *whispercpp.Config) { c.Processes = 2 })
	require.Equal(t, 2, e.Engine().MaxParallel)
	answer := func() (pid string, release func()) {
		conn, err := board.Accept()
		require.NoError(t, err)
		pid, err = bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		return pid, func() { conn.Close() }
	}
	one := func(calls *sync.WaitGroup) {
		u := second(t)
		calls.Go(func() {
			got, err := transcribe(t.Context(), e, u)
			if err != nil || got.Text != "fake words" {
				t.Error(got.Text, err)
			}
		})
	}

	seen := map[string]bool{}
	for range 3 { // one after the other
		var calls sync.WaitGroup
		one(&calls)
		pid, release := answer()
		release()
		calls.Wait()
		seen[pid] = true
	}
	require.Len(t, seen, 1)

	var calls sync.WaitGroup
	for range 5 { // more than there may be
		one(&calls)
	}
	a, releaseA := answer()
	b, releaseB := answer()
	require.NotEqual(t, a, b)
	releaseA()
	releaseB()
	seen[a], seen[b] = true, true
	for range 3 {
		pid, release := answer()
		release()
		seen[pid] = true
	}
	calls.Wait()
	require.Len(t, seen, 2)
}

func TestFingerprint(t *testing.T) {
	model := modelFile(t, silentModel())
	root := openRoot(t)
	of := func(c whispercpp.Config) string {
		c.Model, c.Root = model, root
		e, err := whispercpp.Open(t.Context(), c)
		require.NoError(t, err)
		return e.Engine().Fingerprint
	}
	cli := of(whispercpp.Config{Binary: model})
	require.Regexp(t, `^whispercpp/1 model=[0-9a-f]{64} language=auto beams=5 words=false$`, cli, "or no journal is resumed")
	require.Equal(t, cli, of(whispercpp.Config{Binary: model, Processes: 3, Threads: 2}))
	greedy := of(whispercpp.Config{Binary: model, Beams: 1})
	server := of(whispercpp.Config{Server: model})
	require.NotEqual(t, greedy, server)
	require.Equal(t, server, of(whispercpp.Config{Server: model, Beams: 1, Processes: 3}))
	_, err := whispercpp.Open(t.Context(), whispercpp.Config{Server: model, Model: model, Root: root, Beams: 5})
	require.ErrorContains(t, err, "Beams")
}

// A scanner that has a file open alone at the moment when the engine is started
// is waited for, and while the engine reads the file it cannot come between.
func TestScannerAtTheWrongMoment(t *testing.T) {
	bothModes(t, func(t *testing.T, server bool) {
		for _, name := range []string{"model.bin", "recording.wav"} {
			sim := locktest.New(t)
			path := filepath.Join(sim.Dir(), name)
			files, release := sim.FS(), func() {}
			files.Policy.Observe = func(retry.Event) { release() }
			u := second(t)
			e := openFake(t, "well", server, func(c *whispercpp.Config) {
				c.FS = files
				file := &u.Path
				if name == "model.bin" {
					file = &c.Model
				}
				require.NoError(t, os.Rename(*file, path))
				*file = path
			})
			if !server || name != "model.bin" { // a server has loaded it by then
				u.Heard = func(asr.Segment) {
					if sim.HoldFor(path, locktest.ShareNone, time.Nanosecond) {
						t.Errorf("%s could be opened alone while the engine reads it", name)
					}
				}
			}
			release = sim.Hold(path, locktest.ShareNone)
			got, err := transcribe(t.Context(), e, u)
			require.NoError(t, err)
			require.Equal(t, "fake words", got.Text)
		}
	})
}

// What Open did not make is closed: nothing waits, nothing panics.
func TestZeroTranscriber(t *testing.T) {
	var e whispercpp.Transcriber
	_, err := transcribe(t.Context(), &e, second(t))
	dead, ok := errors.AsType[*asr.EngineError](err)
	require.True(t, ok, "%v", err)
	require.True(t, dead.Fatal)
	require.ErrorContains(t, err, "closed")
	require.NoError(t, e.Close())
}
