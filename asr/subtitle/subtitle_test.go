package subtitle_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/subtitle"
	"github.com/holdfast-go/holdfast/manifest"
)

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func transcript() asr.Transcript {
	return asr.Transcript{
		Text: "Good morning. How are you?", Language: "en", Duration: ms(3725500),
		Segments: []asr.Segment{
			{Start: 0, End: ms(1500), Text: "Good morning."},
			{Start: ms(1500), End: ms(3725500), Text: "How are you?"},
		},
		Words: []asr.Word{
			{Start: 0, End: ms(500), Text: "Good", Confidence: 0.5},
			{Start: ms(500), End: ms(1400), Text: "morning."},
			{Start: ms(1500), End: ms(1700), Text: "How"},
		},
		Source: manifest.Entry{AudioPath: "in/my talk.wav"},
	}
}

func write(t *testing.T, f subtitle.Format, tr asr.Transcript) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, subtitle.Write(&b, f, tr))
	return b.String()
}

func ExampleWrite() {
	t := asr.Transcript{Segments: []asr.Segment{{End: 2 * time.Second, Text: "Good morning."}}}
	subtitle.Write(os.Stdout, subtitle.SRT, t)
	// Output:
	// 1
	// 00:00:00,000 --> 00:00:02,000
	// Good morning.
}

func TestFormats(t *testing.T) {
	for format, want := range map[subtitle.Format]string{
		subtitle.TXT: "Good morning.\nHow are you?\n",
		subtitle.SRT: "1\n00:00:00,000 --> 00:00:01,500\nGood morning.\n\n2\n00:00:01,500 --> 01:02:05,500\nHow are you?\n\n",
		subtitle.VTT: "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nGood morning.\n\n00:00:01.500 --> 01:02:05.500\nHow are you?\n\n",
		subtitle.TSV: "start\tend\ttext\n0\t1500\tGood morning.\n1500\t3725500\tHow are you?\n",
		subtitle.CTM: "my_talk 1 0.000 0.500 Good 0.500\nmy_talk 1 0.500 0.900 morning.\nmy_talk 1 1.500 0.200 How\n",
	} {
		require.Equal(t, want, write(t, format, transcript()), format)
	}
}

func TestJSON(t *testing.T) {
	var doc struct {
		Text, Language string
		Segments       []struct {
			ID         int
			Start, End float64
			Text       string
			Words      []struct{ Word string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(write(t, subtitle.JSON, transcript())), &doc))
	require.Equal(t, "Good morning. How are you?", doc.Text)
	require.Len(t, doc.Segments, 2)
	require.InDelta(t, 3725.5, doc.Segments[1].End, 1e-9)
	require.Len(t, doc.Segments[0].Words, 2)
	require.Len(t, doc.Segments[1].Words, 1)
}

func TestEmptyTranscript(t *testing.T) {
	for _, f := range []subtitle.Format{subtitle.TXT, subtitle.SRT, subtitle.CTM} {
		require.Empty(t, write(t, f, asr.Transcript{}), f)
	}
	require.Equal(t, "WEBVTT\n\n", write(t, subtitle.VTT, asr.Transcript{}))
}

func TestTextWithoutSegments(t *testing.T) {
	got := write(t, subtitle.SRT, asr.Transcript{Text: "hello", Duration: ms(2000)})
	require.Equal(t, "1\n00:00:00,000 --> 00:00:02,000\nhello\n\n", got)
}

// CTM names the recording, so its times count from there; all other files are
// about the stretch alone.
func TestCTMCountsFromTheRecording(t *testing.T) {
	stretch := asr.Transcript{
		Text:     "again",
		Segments: []asr.Segment{{Start: time.Second, End: 2 * time.Second, Text: "again"}},
		Words:    []asr.Word{{Start: time.Second, End: 1500 * time.Millisecond, Text: "again"}},
		Source:   manifest.Entry{AudioPath: "talk.wav", Offset: 3 * time.Second, Duration: 3 * time.Second},
	}
	require.Equal(t, "talk 1 4.000 0.500 again\n", write(t, subtitle.CTM, stretch))
	require.Contains(t, write(t, subtitle.SRT, stretch), "00:00:01,000 --> 00:00:02,000")

	next := stretch
	next.Source.Offset = 6 * time.Second
	require.Equal(t, "talk 1 7.000 0.500 again\n", write(t, subtitle.CTM, next), "no two words of a recording at one time")

	early := stretch
	early.Words = []asr.Word{{Start: -time.Second, End: 0, Text: "again"}}
	require.Equal(t, "talk 1 3.000 0.000 again\n", write(t, subtitle.CTM, early), "not before the stretch")
	early.Source.Offset = -time.Hour
	require.Equal(t, "talk 1 0.000 0.000 again\n", write(t, subtitle.CTM, early), "nor before the recording")
}

func TestCTMNeedsWords(t *testing.T) {
	require.ErrorIs(t, subtitle.Write(&strings.Builder{}, subtitle.CTM, asr.Transcript{Text: "x"}), subtitle.ErrNoWords)
}

func TestParse(t *testing.T) {
	got, err := subtitle.Parse("txt, SRT")
	require.NoError(t, err)
	require.Equal(t, []subtitle.Format{subtitle.TXT, subtitle.SRT}, got)
	_, err = subtitle.Parse("txt,docx")
	require.ErrorContains(t, err, "docx")
}
