// Package corpus_test sends real recordings in many formats and languages through
// the whole library and a real engine.
package corpus_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/internal/lane"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// clip is a recording whose text is known.
type clip struct{ language, text string }

// clips reads what .ci/clips.sh has made.
func clips(t *testing.T) (dir string, known map[string]clip) {
	t.Helper()
	base := os.Getenv("HOLDFAST_CLIPS")
	if base == "" {
		lane.Missing(t, "clips", "no recordings: set HOLDFAST_CLIPS to a folder that .ci/clips.sh has made")
	}
	list, err := os.ReadFile(filepath.Join(base, "clips.tsv"))
	require.NoError(t, err)
	known = make(map[string]clip)
	for line := range strings.Lines(string(list)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		require.Len(t, fields, 3, line)
		known[fields[0]] = clip{fields[1], fields[2]}
	}
	return filepath.Join(base, "clips"), known
}

// A folder of mixed formats and languages gives one transcript each, the
// English ones nearly without errors, and once only. The last engine gets all of
// it; the others, which are older and slower, what is English.
func TestCorpus(t *testing.T) {
	engines := lane.WhisperCPPs(t)
	for i, binary := range engines {
		t.Run(filepath.Base(binary), func(t *testing.T) {
			dir, known := clips(t)
			in := []string{dir}
			if i < len(engines)-1 {
				maps.DeleteFunc(known, func(_ string, c clip) bool { return c.language != "en" })
				in = nil
				for _, name := range slices.Sorted(maps.Keys(known)) {
					in = append(in, filepath.Join(dir, name))
				}
			}
			testCorpus(t, binary, lane.WhisperModel(t), known, in)
		})
	}
}

func testCorpus(t *testing.T, binary, model string, known map[string]clip, in []string) {
	base, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(base) })
	root, err := tempdir.Open(t.Context(), base, tempdir.Options{})
	require.NoError(t, err)
	journal, err := manifest.OpenJournal(t.Context(), filepath.Join(t.TempDir(), "journal.jsonl"), manifest.Options{})
	require.NoError(t, err)
	defer journal.Close()
	engine, err := whispercpp.Open(t.Context(), whispercpp.Config{Binary: binary, Model: model, Root: root, Language: "en",
		Threads: 1}) // its threads wait for each other by spinning, while other packages want the processors
	require.NoError(t, err)
	defer engine.Close()

	heard := make(map[string]asr.Transcript)
	for transcript, err := range asr.Stream(t.Context(), engine, asr.Files(t.Context(), in...), asr.Options{Root: root, Journal: journal}) {
		require.NoError(t, err)
		name := filepath.Base(transcript.Source.AudioPath)
		require.Contains(t, known, name)
		require.NotContains(t, heard, name, "a second transcript")
		heard[name] = transcript
		t.Logf("%v of sound in %v: %s: %s", transcript.Duration, transcript.Elapsed, name, transcript.Text)
	}
	require.Len(t, heard, len(known))

	var total, plain asr.WordErrors
	for name, clip := range known {
		got := heard[name]
		require.Positive(t, got.Duration, name)
		if clip.language != "en" { // the model knows no other
			continue
		}
		e := asr.CountErrors(words(clip.text), words(got.Text))
		t.Logf("%2d of %2d words wrong: %s: %s", e.Sub+e.Ins+e.Del, e.Ref, name, got.Text)
		add(&total, e)
		if !strings.Contains(name, "counting") {
			add(&plain, e)
		}
	}
	t.Logf("word error rate %.1f %% of %d words, without the clip that counts %.1f %%", 100*total.WER(), total.Ref, 100*plain.WER())
	require.LessOrEqual(t, total.WER(), 0.1)
	require.LessOrEqual(t, plain.WER(), 0.03)

	report, err := asr.Run(t.Context(), engine, asr.Files(t.Context(), in...), asr.Options{Root: root, Journal: journal})
	require.NoError(t, err)
	require.Equal(t, len(known), report.Resumed)
}

func add(sum *asr.WordErrors, e asr.WordErrors) {
	sum.Sub += e.Sub
	sum.Ins += e.Ins
	sum.Del += e.Del
	sum.Ref += e.Ref
}

// words makes texts comparable: lower case, no punctuation, and the numbers from
// one to ten in words, as the references have them. What a model writes in
// another way stays an error: "1-234-567-8910." is nine of ten words wrong.
func words(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '\'':
			return unicode.ToLower(r)
		}
		return ' '
	}, text)
	numbers := []string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
	return regexp.MustCompile(`\b(\d|10)\b`).ReplaceAllStringFunc(text, func(digits string) string {
		if digits == "10" {
			return numbers[10]
		}
		return numbers[digits[0]-'0']
	})
}
