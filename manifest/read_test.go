package manifest_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
)

func readAll(text string, o manifest.Options) (entries []manifest.Entry, errs []error) {
	for e, err := range manifest.Read(strings.NewReader(text), o) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		entries = append(entries, e)
	}
	return entries, errs
}

func TestReadTakesWhatIsFoundInPractice(t *testing.T) {
	entries, errs := readAll("\xef\xbb\xbf{\"text\": \"1\"}\r\n\n  \t\r\n {\"text\": \"2\"}\n{\"text\": \"3\", \"x\": NaN}",
		manifest.Options{})
	require.Empty(t, errs)
	require.Len(t, entries, 3)
	require.Equal(t, "3", entries[2].Text)
}

func TestABadLineDoesNotStopTheReading(t *testing.T) {
	for bad, reason := range map[string]string{
		`{"text": "a", "text": "b"}`:         `"text" is there twice`,
		`{"x": 1, "\u0078": 2}`:              `"x" is there twice`,
		`{"duration": "1.5"}`:                `"duration" is the string "1.5", not a number of seconds`,
		`{"duration": NaN}`:                  `"duration" is the number NaN, not a number of seconds`,
		`{"duration": 1e400}`:                `"duration" is the number 1e400, not a number of seconds`,
		`{"offset": 1e10}`:                   `"offset" is the number 1e10, not a number of seconds`,
		`{"offset": true}`:                   `"offset" is a truth value, not a number of seconds`,
		`{"audio_filename": ["a", "b"]}`:     `"audio_filename" is a list, not a string`,
		`{"text": 5}`:                        `"text" is the number 5, not a string`,
		`{"lang": {}}`:                       `"lang" is an object, not a string`,
		"{\"text\": \"gr\xfcn\"}":            `invalid UTF-8 at byte 13`,
		`{"a": 1} x`:                         `text after the object at byte 10`,
		`["a"]`:                              `'[' where an object is expected at byte 1`,
		"\x00\x00\x00":                       `'\x00' where an object is expected at byte 1`,
		`{"a": ` + strings.Repeat("[", 1000): `more than 200 nested levels at byte 206`,
		strings.Repeat("x", 2000):            `longer than 1500 bytes, the limit in Options.MaxLine`,
	} {
		entries, errs := readAll("{}\n"+bad+"\n{\"text\": \"after\"}\n", manifest.Options{MaxLine: 1500})
		require.Len(t, errs, 1, bad)
		var line *manifest.LineError
		require.ErrorAs(t, errs[0], &line)
		require.Equal(t, 2, line.Line)
		require.EqualError(t, line.Err, reason)
		require.ErrorContains(t, line, "manifest: line 2: "+reason+"; the line begins ")
		require.True(t, strings.HasPrefix(bad, line.Text) && len(line.Text) <= 120)
		require.Len(t, entries, 2)
		require.Equal(t, "after", entries[1].Text)
	}
}

func TestManyNamesAreStillCompared(t *testing.T) {
	var line strings.Builder
	for i := range 100 {
		line.WriteString(`, "` + strings.Repeat("n", i+1) + `": 1`)
	}
	fields := line.String()[2:]
	_, errs := readAll("{"+fields+"}", manifest.Options{})
	require.Empty(t, errs)
	_, errs = readAll("{"+fields+`, "`+strings.Repeat("n", 50)+`": 2}`, manifest.Options{})
	require.Len(t, errs, 1)
	require.ErrorContains(t, errs[0], "is there twice")
}

func TestReadEndsAtOtherErrors(t *testing.T) {
	broken := errors.New("broken")
	var last error
	n := 0
	for _, err := range manifest.Read(io.MultiReader(strings.NewReader("{}\n{\"te"), iotest.ErrReader(broken)), manifest.Options{}) {
		n++
		last = err
	}
	require.Equal(t, 2, n)
	require.ErrorIs(t, last, broken)
	require.EqualError(t, last, "manifest: reading after line 1: broken")

	_, errs := readAll("\xff\xfe{\x00}\x00\n\x00", manifest.Options{})
	require.Len(t, errs, 1)
	require.ErrorContains(t, errs[0], "save it as UTF-8")
}

func TestReadStopsWhenTold(t *testing.T) {
	for range manifest.Read(strings.NewReader("{}\n{}\n"), manifest.Options{}) {
		break
	}
}

func TestRelativePaths(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "sub", "a.wav")
	require.NoError(t, os.Mkdir(filepath.Dir(there), 0o700))
	require.NoError(t, os.WriteFile(there, nil, 0o600))
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	absolute := filepath.Join(t.TempDir(), "b.wav")
	for in, want := range map[string]string{
		"sub/a.wav":    there,
		"sub/none.wav": "sub/none.wav",
		"~/x.wav":      filepath.Join(home, "x.wav"),
		"~x.wav":       "~x.wav",
		absolute:       absolute,
		"":             "",
		"s3://b/c.wav": "s3://b/c.wav",
	} {
		line := written(manifest.Entry{AudioPath: in})
		entries, errs := readAll(line, manifest.Options{BaseDir: dir})
		require.Empty(t, errs)
		require.Equal(t, want, entries[0].AudioPath, in)
		entries, _ = readAll(line, manifest.Options{})
		require.Equal(t, in, entries[0].AudioPath, "without a folder paths stay as they are")
	}
}
