package whispercpp

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
)

const vocabulary = 51864

// document makes an output file of segments, given as JSON.
func document(segments ...string) []byte {
	return fmt.Appendf(nil, `{"model": {"vocab": %d}, "result": {"language": "en"}, "transcription": [%s]}`,
		vocabulary, strings.Join(segments, ","))
}

// segment makes a segment whose text is put in as it is, as whisper.cpp does.
func segment(from, to int, text string, tokens ...string) string {
	return fmt.Sprintf(`{"offsets": {"from": %d, "to": %d}, "text": "%s", "tokens": [%s]}`, from, to, text, strings.Join(tokens, ","))
}

func token(id, from, to int, text string, p float64) string {
	return fmt.Sprintf(`{"id": %d, "offsets": {"from": %d, "to": %d}, "text": "%s", "p": %g}`, id, from, to, text, p)
}

func read(t *testing.T, duration time.Duration, segments ...string) asr.Transcript {
	t.Helper()
	out, err := parseOutput(document(segments...), vocabulary)
	require.NoError(t, err)
	return out.transcript(duration, true)
}

func TestText(t *testing.T) {
	for name, c := range map[string]struct {
		segments []string
		want     string
	}{
		"two segments":              {[]string{segment(0, 10, " Good morning."), segment(10, 20, " How are you?")}, "Good morning. How are you?"},
		"raw control bytes":         {[]string{segment(0, 10, " one\ntwo\tthree\x01")}, "one\ntwo\tthree\x01"},
		"escapes":                   {[]string{segment(0, 10, ` say \"hi\" \\ you`)}, `say "hi" \ you`},
		"split character":           {[]string{segment(0, 10, " \u65e5\xe6\x9c"), segment(10, 20, "\xac\u8a9e")}, "日本語"},
		"stray byte":                {[]string{segment(0, 10, " a\xffb")}, "a\uFFFDb"},
		"swallowed special token":   {[]string{segment(0, 10, "\xe3\x83[_TT_250]"), segment(10, 20, "\x86x")}, "\uFFFD\uFFFDx"},
		"blank audio":               {[]string{segment(0, 10000, " [BLANK_AUDIO]")}, ""},
		"nothing":                   {nil, ""},
		"a bracket that was spoken": {[]string{segment(0, 10, " [_not a token] [x]")}, "[_not a token] [x]"},
	} {
		require.Equal(t, c.want, read(t, time.Minute, c.segments...).Text, name)
	}
}

func TestTimesStayInTheRecording(t *testing.T) {
	got := read(t, 5*time.Second, segment(0, 2000, " a"), segment(1500, 9000, " b"), segment(-5, 30000, " c"))
	require.Equal(t, []asr.Segment{
		{Start: 0, End: 2 * time.Second, Text: "a"},
		{Start: 1500 * time.Millisecond, End: 5 * time.Second, Text: "b"},
		{Start: 1500 * time.Millisecond, End: 5 * time.Second, Text: "c"},
	}, got.Segments)
}

func TestWords(t *testing.T) {
	got := read(t, time.Minute, segment(0, 3000, " Hello, wörld",
		token(50363, 0, 0, "[_BEG_]", 1),
		token(1, 0, 500, " Hel", 0.5), token(2, 500, 700, "lo", 1), token(3, 700, 710, ",", 0.75),
		token(4, 800, 900, " w", 1), token(5, 900, 950, "\xc3", 1), token(6, 950, 1000, "\xb6", 1), token(7, 1000, 1200, "rld", 1),
		token(50463, 1200, 1200, "[_TT_100]", 1)))
	require.Equal(t, []asr.Word{
		{Start: 0, End: 710 * time.Millisecond, Text: "Hello,", Confidence: 0.75},
		{Start: 800 * time.Millisecond, End: 1200 * time.Millisecond, Text: "wörld", Confidence: 1},
	}, got.Words)
}

func TestRefusedOutput(t *testing.T) {
	whole := document(segment(0, 10, " text"))
	for name, b := range map[string][]byte{
		"empty":            nil,
		"cut short":        whole[:len(whole)-3],
		"another model's":  []byte(strings.Replace(string(whole), "51864", "51865", 1)),
		"no transcription": []byte(`{"model": {"vocab": 51864}}`),
		"not an object":    []byte(`[]`),
		"two documents":    append(whole, whole...),
	} {
		_, err := parseOutput(b, vocabulary)
		require.Error(t, err, name)
	}
	for n := range whole { // full disk: cut anywhere
		_, err := parseOutput(whole[:n], vocabulary)
		require.Error(t, err, n)
	}
}

func FuzzParseOutput(f *testing.F) {
	f.Add(document(segment(0, 10, " \xe6\x9c", token(1, 0, 5, " \xe6\x9c", 0.5)), segment(10, 20, "\xac")))
	f.Add(document(segment(-1, 1<<40, "\x00[_TT_1]")))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := parseOutput(b, vocabulary)
		if err != nil {
			return
		}
		checkTranscript(t, out)
	})
}

// checkTranscript wants a transcript in order, whatever the engine has said.
func checkTranscript(t *testing.T, out *output) {
	const duration = 5 * time.Second
	got := out.transcript(duration, true)
	require.True(t, utf8.ValidString(got.Text))
	last := time.Duration(0)
	for _, s := range got.Segments {
		require.True(t, last <= s.Start && s.Start <= s.End && s.End <= duration && utf8.ValidString(s.Text))
		last = s.Start
	}
	last = 0
	for _, w := range got.Words {
		require.True(t, last <= w.Start && w.Start <= w.End && w.End <= duration && utf8.ValidString(w.Text))
		require.True(t, 0 <= w.Confidence && w.Confidence <= 1)
		last = w.Start
	}
}
