package scripted_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/ggml"
	"github.com/holdfast-go/holdfast/internal/ggml/scripted"
	"github.com/holdfast-go/holdfast/internal/lane"
)

// answer is what whisper.cpp has written with -oj.
type answer struct {
	Model struct {
		Type         string
		Multilingual bool
	}
	Result        struct{ Language string }
	Transcription []struct {
		Text    string
		Offsets struct{ From, To int } // ms
	}
}

func (a answer) text() string {
	var b strings.Builder
	for _, s := range a.Transcription {
		b.WriteString(s.Text)
	}
	return b.String()
}

// say runs a script over some seconds of sound.
func say(t *testing.T, s scripted.Script, seconds int, args ...string) answer {
	t.Helper()
	binary := lane.WhisperCPP(t)
	dir := t.TempDir()
	var model bytes.Buffer
	require.NoError(t, scripted.Write(&model, s))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.bin"), model.Bytes(), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.wav"), tone(seconds), 0o600))
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"-m", "model.bin", "-f", "x.wav", "-oj", "-of", "out"}, args...)...)
	cmd.Dir = dir
	log, err := cmd.CombinedOutput()
	require.NoError(t, err, string(log))
	b, err := os.ReadFile(filepath.Join(dir, "out.json"))
	require.NoError(t, err, string(log))
	b = bytes.ReplaceAll(b, []byte("-->\n"), []byte(`-->\n`)) // whisper.cpp writes control bytes as they are
	var a answer
	require.NoError(t, json.Unmarshal(b, &a), string(b))
	return a
}

// tone is a 16 kHz mono WAV file.
func tone(seconds int) []byte {
	le := binary.LittleEndian
	n := 16000 * seconds
	b := append([]byte("RIFF"), le.AppendUint32(nil, uint32(36+2*n))...)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data"...)
	b = le.AppendUint32(b, uint32(2*n))
	for i := range n {
		b = le.AppendUint16(b, uint16(int16(8000*math.Sin(float64(i)/20))))
	}
	return b
}

func TestSaysTheScript(t *testing.T) {
	a := say(t, scripted.Script{Segments: []scripted.Segment{
		{Text: " Hello world,", End: 1200 * time.Millisecond},
		{Text: " it's -->\n <b>bold</b> & 100% \"so\"", End: 3 * time.Second},
		{Tokens: []string{" gr", "\xc3", "\xbc", "n", " 日", "本"}, End: 4500 * time.Millisecond},
	}}, 5, "-l", "en")
	require.Equal(t, "tiny", a.Model.Type)
	require.True(t, a.Model.Multilingual)
	require.Len(t, a.Transcription, 3)
	for i, want := range []struct {
		text     string
		from, to int
	}{
		{" Hello world,", 0, 1200},
		{" it's -->\n <b>bold</b> & 100% \"so\"", 1200, 3000},
		{" grün 日本", 3000, 4500},
	} {
		got := a.Transcription[i]
		require.Equal(t, want.text, got.Text)
		// whisper.cpp 1.9 lets a segment begin one time stamp after the last one's end.
		later := want.from
		if i > 0 {
			later += 20
		}
		require.Contains(t, []int{want.from, later}, got.Offsets.From)
		require.Equal(t, want.to, got.Offsets.To)
	}
}

func TestDetectsAndTranslates(t *testing.T) {
	s := scripted.Script{
		Language:    "de",
		Segments:    []scripted.Segment{{Text: " Guten Tag", End: 2 * time.Second}},
		Translation: []scripted.Segment{{Text: " Good day", End: 1980 * time.Millisecond}},
	}
	a := say(t, s, 2, "-l", "auto")
	require.Equal(t, "de", a.Result.Language)
	require.Equal(t, " Guten Tag", a.text())
	require.Equal(t, " Good day", say(t, s, 2, "-l", "de", "-tr").text())
}

func TestSaysNothing(t *testing.T) {
	require.Empty(t, say(t, scripted.Script{}, 3, "-l", "en").text())
}

// More words than the narrowest model holds.
func TestSaysMuch(t *testing.T) {
	var text, translation string
	for i := range 200 {
		text += fmt.Sprintf(" w%d", i)
		translation += fmt.Sprintf(" t%d", i)
	}
	s := scripted.Script{
		Segments:    []scripted.Segment{{Text: text, End: 10 * time.Second}},
		Translation: []scripted.Segment{{Text: translation, End: 9900 * time.Millisecond}},
	}
	require.Equal(t, text, say(t, s, 10, "-l", "en", "-bs", "1").text())
	require.Equal(t, translation, say(t, s, 10, "-l", "en", "-tr", "-bs", "1").text())
}

func TestIsAWholeModel(t *testing.T) {
	var b, again bytes.Buffer
	s := scripted.Script{Segments: []scripted.Segment{{Text: " one", End: time.Second}}}
	require.NoError(t, scripted.Write(&b, s))
	m, err := ggml.Inspect(bytes.NewReader(b.Bytes()), int64(b.Len()))
	require.NoError(t, err)
	require.Equal(t, "tiny", m.Type)
	require.NoError(t, scripted.Write(&again, s))
	require.True(t, bytes.Equal(b.Bytes(), again.Bytes()), "the same script gives the same file")

	for _, bad := range []scripted.Script{
		{Language: "xx"},
		{Segments: []scripted.Segment{{Text: "", End: time.Second}}},
		{Segments: []scripted.Segment{{Text: "a", End: time.Millisecond}}},
		{Segments: []scripted.Segment{{Text: "a", End: time.Minute}}},
		{Segments: []scripted.Segment{{Text: "a", End: time.Second}, {Text: "b", End: time.Second}}},
		{Segments: []scripted.Segment{{Text: strings.Repeat(" a", 300), End: time.Second}}},
	} {
		require.Error(t, scripted.Write(&b, bad))
	}
}
