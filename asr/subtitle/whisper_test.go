package subtitle_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/subtitle"
)

// What openai-whisper's own writers make of a result (testdata/whisper.py) comes
// out of ours too.
func TestLikeOpenAIWhisper(t *testing.T) {
	type word struct {
		Word                    string
		Start, End, Probability float64
	}
	type result struct {
		Text, Language string
		Segments       []struct {
			ID         int
			Start, End float64
			Text       string
			Words      []word
		}
	}
	testdata := func(extension string) string {
		b, err := os.ReadFile(filepath.Join("testdata", "whisper."+extension))
		require.NoError(t, err)
		return string(b)
	}
	var theirs, ours result
	require.NoError(t, json.Unmarshal([]byte(testdata("json")), &theirs))
	seconds := func(f float64) time.Duration { return time.Duration(f*1e6+0.5) * time.Microsecond }
	tr := asr.Transcript{Language: theirs.Language}
	// Whisper's texts begin with the space that separates them.
	tr.Text, theirs.Text = strings.TrimSpace(theirs.Text), strings.TrimSpace(theirs.Text)
	for i := range theirs.Segments {
		s := &theirs.Segments[i]
		s.Text = strings.TrimSpace(s.Text)
		tr.Segments = append(tr.Segments, asr.Segment{Start: seconds(s.Start), End: seconds(s.End), Text: s.Text})
		if len(s.Words) == 0 {
			s.Words = nil
		}
		for j := range s.Words {
			w := &s.Words[j]
			w.Word = strings.TrimSpace(w.Word)
			tr.Words = append(tr.Words, asr.Word{Start: seconds(w.Start), End: seconds(w.End), Text: w.Word, Confidence: w.Probability})
		}
	}
	for _, f := range []subtitle.Format{subtitle.TXT, subtitle.SRT, subtitle.TSV} {
		require.Equal(t, testdata(string(f)), write(t, f, tr), f)
	}
	require.NoError(t, json.Unmarshal([]byte(write(t, subtitle.JSON, tr)), &ours))
	require.Equal(t, theirs, ours)
}
