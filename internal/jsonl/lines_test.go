package jsonl_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/jsonl"
)

type cut struct {
	text       string
	offset     int64
	terminated bool
	tooLong    bool
}

func cutAll(t *testing.T, r io.Reader, max int) ([]cut, error) {
	t.Helper()
	var got []cut
	lines := jsonl.NewLines(r, max)
	for lines.Next() {
		require.Equal(t, len(got)+1, lines.Number())
		got = append(got, cut{string(lines.Bytes()), lines.Offset(), lines.Terminated(), lines.TooLong()})
	}
	return got, lines.Err()
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	for name, c := range map[string]struct {
		in   string
		max  int
		want []cut
	}{
		"empty":           {"", 10, nil},
		"one":             {"a\n", 10, []cut{{"a", 0, true, false}}},
		"torn":            {"a\nbc", 10, []cut{{"a", 0, true, false}, {"bc", 2, false, false}}},
		"blank":           {"\n\na", 10, []cut{{"", 0, true, false}, {"", 1, true, false}, {"a", 2, false, false}}},
		"at the limit":    {"abc\n", 3, []cut{{"abc", 0, true, false}}},
		"above the limit": {"abcd\nx\n", 3, []cut{{"", 0, true, true}, {"x", 5, true, false}}},
		"far above":       {long + "\nx\n", 10, []cut{{"", 0, true, true}, {"x", 200_001, true, false}}},
		"torn and above":  {"x\n" + long, 10, []cut{{"x", 0, true, false}, {"", 2, false, true}}},
		"longer than the buffer": {long + "\nx", 1 << 20,
			[]cut{{long, 0, true, false}, {"x", 200_001, false, false}}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range []io.Reader{
				strings.NewReader(c.in),
				iotest.HalfReader(strings.NewReader(c.in)),
				iotest.DataErrReader(strings.NewReader(c.in)),
			} {
				got, err := cutAll(t, r, c.max)
				require.NoError(t, err)
				require.Equal(t, c.want, got)
			}
		})
	}
}

func TestLinesReportsTheReadersError(t *testing.T) {
	broken := errors.New("broken")
	got, err := cutAll(t, io.MultiReader(strings.NewReader("a\nhalf"), iotest.ErrReader(broken)), 10)
	require.ErrorIs(t, err, broken)
	require.Equal(t, []cut{{"a", 0, true, false}}, got, "half a line is no line when reading failed")
}

type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }

func TestLinesEndsWhereAReaderGivesNothing(t *testing.T) {
	_, err := cutAll(t, nothing{}, 10)
	require.ErrorIs(t, err, io.ErrNoProgress)
}

func TestTrim(t *testing.T) {
	require.Equal(t, "{}", string(jsonl.Trim([]byte("\xef\xbb\xbf {}\t\r"), 1)))
	require.Equal(t, "\xef\xbb\xbf{}", string(jsonl.Trim([]byte("\xef\xbb\xbf{}"), 2)))
	require.Empty(t, jsonl.Trim([]byte(" \r"), 1))
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nbb\n\nccc"), 2, 1)
	f.Add([]byte("\x00\x00\n"), 100, 7)
	f.Add([]byte(strings.Repeat("long ", 99)+"\n\n"), 17, 64)
	f.Fuzz(func(t *testing.T, data []byte, max, chunk int) {
		if max < 0 || chunk < 1 {
			t.Skip("not a limit")
		}
		var want []cut
		var at int64
		for part := range bytes.Lines(data) {
			text, terminated := strings.CutSuffix(string(part), "\n")
			c := cut{text, at, terminated, len(text) > max}
			if c.tooLong {
				c.text = ""
			}
			want = append(want, c)
			at += int64(len(part))
		}
		got, err := cutAll(t, &chunks{data, chunk}, max)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

// chunks hands out at most n bytes at a time.
type chunks struct {
	data []byte
	n    int
}

func (c *chunks) Read(b []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.data[:min(c.n, len(c.data))])
	c.data = c.data[n:]
	return n, nil
}
