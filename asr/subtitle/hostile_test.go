package subtitle_test

import (
	"encoding/json"
	"html"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/subtitle"
	"github.com/holdfast-go/holdfast/internal/lane"
	"github.com/holdfast-go/holdfast/manifest"
)

// Texts that are made to break out of their cue.
var hostile = []string{
	"one\n\n2\r\n00:00:09,000 --> 00:00:10,000\nforged <b>&amp; \u2028bold\x00",
	"00:00:09.000 --> 00:00:10.000", "00:00:09,000 -->", "-->", "<-->", "----->", "--\x00>",
	"\n\t ", "", "\u00a0", "\ufeff", "42", "2\n", "WEBVTT", "NOTE x", "STYLE\n::cue{}", "REGION",
	"a\rb", "a\x1cb", "a\x85b", "a\u0085b", "a\u2029b", "a\vb\fc", "\x1a", "a\xffb\xc3", "\xed\xa0\x80",
	"<v Bob>hi</v>", "<00:00:01.000>x", "<c.x>", "</", "<", "&", "&lt;b&gt;", "&amp;lt;", "&nbsp;", "a < b && c > d", "{\\an8}top", "<font color=\"red\">",
	"\"", "\"open\tquote", "a,b", "a\tb\tc\n1\t2\t3", "\\n", "\\", "'", ";; comment", "\u202eright to left", "e\u0301", "👩‍👩‍👧", "日本。",
}

// transcriptOf has one segment and one word for each text.
func transcriptOf(texts ...string) asr.Transcript {
	t := asr.Transcript{Text: strings.Join(texts, " "), Source: manifest.Entry{AudioPath: "a.wav"}}
	for i, text := range texts {
		start := ms(1000*i + i%7)
		t.Segments = append(t.Segments, asr.Segment{Start: start, End: start + ms(900), Text: text})
		t.Words = append(t.Words, asr.Word{Start: start, End: start + ms(500), Text: text, Confidence: 0.5})
	}
	return t
}

// cue is what a reader finds.
type cue struct {
	Start, End int64 // ms
	Text       string
}

// visible is a text without what is white or cannot be seen, and as UTF-8: a run
// of bytes that are not becomes one character, or as many as there are.
func visible(s string) string {
	last := rune(0)
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar && r == last {
			return -1
		}
		last = r
		return r
	}, s)
}

func cuesOf(t asr.Transcript) []cue {
	var cues []cue
	for _, s := range t.Segments {
		cues = append(cues, cue{s.Start.Milliseconds(), s.End.Milliseconds(), visible(s.Text)})
	}
	return cues
}

// timed matches what any reader takes for the times of a cue.
var timed = regexp.MustCompile(`(\d+):(\d\d):(\d\d)[.,](\d\d\d)\s*-->\s*(\d+):(\d\d):(\d\d)[.,](\d\d\d)`)

func parseTimes(t *testing.T, line string) (start, end int64) {
	found := timed.FindStringSubmatch(line)
	require.NotNil(t, found, line)
	require.Equal(t, line, found[0])
	var n [8]int64
	for i := range n {
		v, err := strconv.ParseInt(found[i+1], 10, 64)
		require.NoError(t, err)
		n[i] = v
	}
	return n[0]*3600000 + n[1]*60000 + n[2]*1000 + n[3], n[4]*3600000 + n[5]*60000 + n[6]*1000 + n[7]
}

func parse(t *testing.T, f subtitle.Format, s string) []cue {
	t.Helper()
	// Lines as Python's splitlines sees them: whatever else ends a line must not
	// be in the file.
	require.NotRegexp(t, "[\r\v\f\x1c-\x1e\u0085\u2028\u2029]", s)
	lines := strings.Split(s, "\n")
	require.Empty(t, lines[len(lines)-1], "the last line has no end")
	lines = lines[:len(lines)-1]
	var cues []cue
	add := func(times, text string) {
		start, end := parseTimes(t, times)
		cues = append(cues, cue{start, end, visible(text)})
	}
	switch f {
	case subtitle.SRT:
		require.Zero(t, len(lines)%4)
		for i := 0; i < len(lines); i += 4 {
			require.Equal(t, strconv.Itoa(i/4+1), lines[i])
			require.NotEmpty(t, lines[i+2])
			require.NotContains(t, lines[i+2], "-->")
			require.Empty(t, lines[i+3])
			add(lines[i+1], lines[i+2])
		}
	case subtitle.VTT:
		require.Equal(t, []string{"WEBVTT", ""}, lines[:2])
		lines = lines[2:]
		require.Zero(t, len(lines)%3)
		for i := 0; i < len(lines); i += 3 {
			require.NotRegexp(t, "[<>]", lines[i+1])
			require.Empty(t, lines[i+2])
			add(lines[i], html.UnescapeString(lines[i+1]))
		}
	case subtitle.TSV:
		require.Equal(t, "start\tend\ttext", lines[0])
		for _, line := range lines[1:] {
			fields := strings.Split(line, "\t")
			require.Len(t, fields, 3)
			start, err := strconv.ParseInt(fields[0], 10, 64)
			require.NoError(t, err)
			end, err := strconv.ParseInt(fields[1], 10, 64)
			require.NoError(t, err)
			cues = append(cues, cue{start, end, visible(fields[2])})
		}
	}
	return cues
}

func requireCues(t *testing.T, tr asr.Transcript) {
	t.Helper()
	want := cuesOf(tr)
	for _, f := range []subtitle.Format{subtitle.SRT, subtitle.VTT, subtitle.TSV} {
		require.Equal(t, want, parse(t, f, write(t, f, tr)), f)
	}
	txt := strings.Split(strings.TrimSuffix(write(t, subtitle.TXT, tr), "\n"), "\n")
	require.Len(t, txt, max(1, len(want)))
	for i, c := range want {
		require.Equal(t, c.Text, visible(txt[i]))
	}
	for line := range strings.Lines(write(t, subtitle.CTM, tr)) {
		require.Len(t, strings.Split(strings.TrimSuffix(line, "\n"), " "), 6, line)
	}
	var doc struct {
		Text     string
		Segments []struct{ Text string }
	}
	require.NoError(t, json.Unmarshal([]byte(write(t, subtitle.JSON, tr)), &doc))
	require.Equal(t, visible(tr.Text), visible(doc.Text))
	require.Len(t, doc.Segments, len(want))
	for i, c := range want {
		require.Equal(t, c.Text, visible(doc.Segments[i].Text))
	}
}

// Text that is made to break out of its cue stays inside it, and none is lost.
func TestHostileText(t *testing.T) {
	requireCues(t, transcriptOf(hostile...))
	for _, text := range hostile {
		requireCues(t, transcriptOf(text))
		requireCues(t, transcriptOf(text, text))
	}
}

func FuzzHostileText(f *testing.F) {
	for i, text := range hostile {
		f.Add(text, hostile[len(hostile)-1-i], int64(i)*12345)
	}
	f.Fuzz(func(t *testing.T, a, b string, start int64) {
		tr := transcriptOf(a, b)
		tr.Segments[1].Start = ms(int(max(0, start%360_000_000)))
		tr.Segments[1].End = tr.Segments[1].Start + ms(1)
		requireCues(t, tr)
	})
}

// Numbers that no engine should give do not spoil a file.
func TestHostileNumbers(t *testing.T) {
	tr := asr.Transcript{
		Text: "a b c", Source: manifest.Entry{AudioPath: "a.wav"},
		Segments: []asr.Segment{{Start: -ms(5), End: -ms(1), Text: "a"}, {Start: ms(10), End: ms(5), Text: "b"}, {Start: math.MaxInt64 - 1, End: math.MaxInt64, Text: "c"}},
		Words: []asr.Word{
			{Start: -ms(5), End: -ms(9), Text: "a", Confidence: math.NaN()}, {Start: ms(10), End: ms(5), Text: "b", Confidence: math.Inf(1)},
			{End: ms(1), Text: "c", Confidence: -1},
		},
	}
	want := []cue{{0, 0, "a"}, {10, 10, "b"}, {int64(math.MaxInt64 / time.Millisecond), int64(math.MaxInt64 / time.Millisecond), "c"}}
	for _, f := range []subtitle.Format{subtitle.SRT, subtitle.VTT, subtitle.TSV} {
		require.Equal(t, want, parse(t, f, write(t, f, tr)), f)
	}
	require.Equal(t, "a 1 0.000 0.000 a\na 1 0.010 0.000 b 1.000\na 1 0.000 0.001 c\n", write(t, subtitle.CTM, tr))
	require.True(t, json.Valid([]byte(write(t, subtitle.JSON, tr))))
}

// Python's srt and webvtt-py read what was written.
func TestIndependentReaders(t *testing.T) {
	python := os.Getenv("HOLDFAST_SUBTITLE_PYTHON")
	if python == "" {
		lane.Missing(t, "subtitles", "no readers: set HOLDFAST_SUBTITLE_PYTHON to the Python that .ci/subtitles.sh has made")
	}
	transcripts := map[string]asr.Transcript{"all": transcriptOf(hostile...), "plain": transcript()}
	for i, text := range hostile {
		transcripts["one-"+strconv.Itoa(i)] = transcriptOf(text, "after", text)
	}
	dir := t.TempDir()
	for name, tr := range transcripts {
		for _, f := range []subtitle.Format{subtitle.SRT, subtitle.VTT, subtitle.TSV, subtitle.JSON} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name+"."+string(f)), []byte(write(t, f, tr)), 0o600))
		}
	}
	cmd := exec.Command(python, filepath.Join("testdata", "read.py"), dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	var read map[string][]cue
	require.NoError(t, json.Unmarshal(out, &read))
	require.Len(t, read, 4*len(transcripts))
	for file, cues := range read {
		for i := range cues {
			cues[i].Text = visible(cues[i].Text)
		}
		want := transcripts[strings.TrimSuffix(file, filepath.Ext(file))]
		require.Equal(t, cuesOf(want), cues, file)
	}
}
