package whispercpp_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/internal/ggml/scripted"
	"github.com/holdfast-go/holdfast/internal/lane"
	"github.com/holdfast-go/holdfast/tempdir"
)

// wave is a WAV file of 16 kHz, mono, 16 bits.
func wave(sound []byte) []byte {
	size := uint32(len(sound))
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, 36+size)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, size)
	return append(b, sound...)
}

// silence is a recording that lasts for length.
func silence(t *testing.T, length time.Duration) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "silence.wav")
	require.NoError(t, os.WriteFile(path, wave(make([]byte, length*32000/time.Second)), 0o600))
	return path
}

func scriptedModel(t *testing.T, s scripted.Script) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, scripted.Write(&b, s))
	return modelFile(t, b.Bytes())
}

// silentModel is made once, for the many tests that only need any model.
var silentModel = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	if err := scripted.Write(&b, scripted.Script{}); err != nil {
		panic(err)
	}
	return b.Bytes()
})

func modelFile(t *testing.T, model []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ggml-scripted.bin")
	require.NoError(t, os.WriteFile(path, model, 0o600))
	return path
}

func openRoot(t *testing.T) *tempdir.Root {
	t.Helper()
	dir, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	root, err := tempdir.Open(t.Context(), dir, tempdir.Options{})
	require.NoError(t, err)
	return root
}

func transcribe(ctx context.Context, engine *whispercpp.Transcriber, u asr.Utterance) (asr.Transcript, error) {
	for transcript, err := range engine.Transcribe(ctx, []asr.Utterance{u}) {
		return transcript, err
	}
	return asr.Transcript{}, errors.New("nothing was yielded")
}

// realEngines runs a test with every whisper.cpp that is there: programs of
// several versions, and the server.
func realEngines(t *testing.T, f func(t *testing.T, c whispercpp.Config)) {
	for _, path := range lane.WhisperCPPs(t) {
		t.Run(filepath.Base(path), func(t *testing.T) { f(t, whispercpp.Config{Binary: path, Root: openRoot(t)}) })
	}
	t.Run("whisper-server", func(t *testing.T) { f(t, whispercpp.Config{Server: lane.WhisperServer(t), Root: openRoot(t)}) })
}

func open(t *testing.T, c whispercpp.Config) *whispercpp.Transcriber {
	t.Helper()
	engine, err := whispercpp.Open(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	return engine
}

// The real program says what a scripted model tells it to: text that its own
// JSON does not escape, and a character that it splits between two segments.
func TestRealEngineHostileText(t *testing.T) {
	model := scriptedModel(t, scripted.Script{Segments: []scripted.Segment{
		{Tokens: []string{" say", " \"hi\"\n", "\x01", " \\", " \xe6\x97"}, End: 2 * time.Second},
		{Tokens: []string{"\xa5", " <b>", " -->"}, End: 4 * time.Second},
	}})
	realEngines(t, func(t *testing.T, c whispercpp.Config) {
		c.Model, c.Language, c.Words = model, "en", true
		engine := open(t, c)
		u := asr.Utterance{ID: "1", Path: silence(t, 5*time.Second), Duration: 3500 * time.Millisecond}
		var heard []asr.Segment
		u.Heard = func(s asr.Segment) { heard = append(heard, s) }
		got, err := transcribe(t.Context(), engine, u)
		require.NoError(t, err)
		require.Equal(t, "say \"hi\"\n\x01 \\ 日 <b> -->", got.Text)
		require.Equal(t, "en", got.Language)
		require.Len(t, got.Segments, 2)
		require.Equal(t, 3500*time.Millisecond, got.Segments[1].End, "no time lies behind the recording's end")
		require.Equal(t, []string{"say", "\"hi\"\n\x01", "\\", "日", "<b>", "-->"}, texts(got.Words))
		if c.Server == "" || len(heard) == 2 { // a server's messages may be late
			require.Equal(t, `say "hi"`, heard[0].Text, "one line of it")
			require.Equal(t, got.Segments[1].End, heard[1].End)
		}
	})
}

func texts(words []asr.Word) (list []string) {
	for _, w := range words {
		list = append(list, w.Text)
	}
	return list
}

// A recording of several windows, in a language that is detected.
func TestRealEngineLong(t *testing.T) {
	model := scriptedModel(t, scripted.Script{Language: "de", Segments: []scripted.Segment{
		{Text: " Guten Tag", End: 10 * time.Second}, {Text: " [BLANK_AUDIO]", End: 15 * time.Second}, {Text: " [_TT_50] zusammen", End: 28 * time.Second},
	}})
	realEngines(t, func(t *testing.T, c whispercpp.Config) {
		c.Model = model
		engine := open(t, c)
		u := asr.Utterance{ID: "1", Path: silence(t, 40*time.Second), Duration: 40 * time.Second}
		var heard []asr.Segment
		u.Heard = func(s asr.Segment) { heard = append(heard, s) }
		got, err := transcribe(t.Context(), engine, u)
		require.NoError(t, err)
		require.Equal(t, "de", got.Language)
		require.Regexp(t, `^Guten Tag +zusammen Guten Tag`, got.Text)
		require.Greater(t, len(got.Segments), 2)
		last := time.Duration(0)
		for _, s := range got.Segments {
			require.LessOrEqual(t, last, s.Start)
			require.LessOrEqual(t, s.Start, s.End)
			require.LessOrEqual(t, s.End, u.Duration)
			last = s.Start
		}
		if c.Server == "" {
			require.Equal(t, got.Segments, heard)
		} else {
			require.Equal(t, got.Segments[:len(heard)], heard)
		}
		require.Nil(t, got.Words)
	})
}

func TestRealEngineErrors(t *testing.T) {
	model := scriptedModel(t, scripted.Script{Segments: []scripted.Segment{{Text: " fine", End: 1200 * time.Millisecond}}})
	realEngines(t, func(t *testing.T, c whispercpp.Config) {
		c.Model = model
		engine := open(t, c)
		text := filepath.Join(t.TempDir(), "text.wav")
		require.NoError(t, os.WriteFile(text, []byte("no audio"), 0o600))
		_, err := transcribe(t.Context(), engine, asr.Utterance{ID: "1", Path: text})
		failed, ok := errors.AsType[*asr.UtteranceError](err)
		require.True(t, ok, "%v", err)
		require.ErrorIs(t, failed, asr.ErrBadAudio)
		require.Equal(t, "1", failed.ID)

		got, err := transcribe(t.Context(), engine, asr.Utterance{ID: "2", Path: silence(t, time.Second), Duration: time.Second})
		require.NoError(t, err, "the engine still works")
		require.Equal(t, "fine", got.Text, "also for a recording that is too short for it")
		require.Equal(t, time.Second, got.Segments[0].End)

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = transcribe(ctx, engine, asr.Utterance{ID: "3", Path: silence(t, time.Second)})
		require.ErrorIs(t, err, context.Canceled)

		require.NoError(t, engine.Close())
		require.NoError(t, engine.Close())
		_, err = transcribe(t.Context(), engine, asr.Utterance{ID: "4", Path: text})
		dead, ok := errors.AsType[*asr.EngineError](err)
		require.True(t, ok)
		require.True(t, dead.Fatal)
		scopes, err := os.ReadDir(filepath.Join(c.Root.Path(), "s"))
		require.NoError(t, err)
		require.Empty(t, scopes)
	})
}

func TestOpenRefuses(t *testing.T) {
	model := scriptedModel(t, scripted.Script{})
	whole, err := os.ReadFile(model)
	require.NoError(t, err)
	cut := filepath.Join(t.TempDir(), "cut.bin")
	require.NoError(t, os.WriteFile(cut, whole[:200_000], 0o600))
	root := openRoot(t)
	good := whispercpp.Config{Binary: model, Model: model, Root: root} // any file will do as the binary
	_, err = whispercpp.Open(t.Context(), good)
	require.NoError(t, err, "no process is started")

	for name, c := range map[string]struct {
		change func(*whispercpp.Config)
		want   string
	}{
		"cut in the vocabulary": {func(c *whispercpp.Config) { c.Model = cut }, "bad model"},
		"no model":              {func(c *whispercpp.Config) { c.Model = "" }, "Model is missing"},
		"absent model":          {func(c *whispercpp.Config) { c.Model = cut + "x" }, "cut.binx"},
		"absent binary":         {func(c *whispercpp.Config) { c.Binary = cut + "x" }, "cut.binx"},
		"no root":               {func(c *whispercpp.Config) { c.Root = nil }, "Root"},
		"threads":               {func(c *whispercpp.Config) { c.Threads = -1 }, "Threads"},
		"beams":                 {func(c *whispercpp.Config) { c.Beams = 9 }, "Beams"},
		"language":              {func(c *whispercpp.Config) { c.Language = "xx" }, "xx"},
	} {
		config := good
		c.change(&config)
		_, err := whispercpp.Open(t.Context(), config)
		dead, ok := errors.AsType[*asr.EngineError](err)
		require.True(t, ok, name)
		require.ErrorContains(t, dead, c.want, name)
	}
}
