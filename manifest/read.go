package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/holdfast-go/holdfast/internal/jsonl"
	"github.com/holdfast-go/holdfast/retry"
)

// Options of everything that opens or reads a manifest or a journal. The zero
// value is the default.
type Options struct {
	// FS does the file operations; the zero value is fine.
	FS retry.FS
	// BaseDir is the folder that relative audio paths are looked for in.
	// "": Load takes the folder of the manifest, Read leaves paths alone.
	BaseDir string
	// MaxLine is the longest line in bytes; 0: 64 MiB, at most 1 GiB.
	MaxLine int
}

const (
	defaultMaxLine = 64 << 20
	largestMaxLine = 1 << 30
)

func (o Options) maxLine() int {
	if o.MaxLine <= 0 {
		return defaultMaxLine
	}
	return min(o.MaxLine, largestMaxLine)
}

// LineError is a line that could not be read. The lines after it can.
type LineError struct {
	Path string // of the manifest, "" where it was read from an io.Reader
	Line int    // from 1
	Text string // how the line begins, at most 120 bytes
	Err  error
}

func (e *LineError) Error() string {
	where := e.Path
	if where == "" {
		where = "manifest"
	}
	return fmt.Sprintf("%s: line %d: %v; the line begins %q", where, e.Line, e.Err, e.Text)
}

func (e *LineError) Unwrap() error { return e.Err }

const shownText = 120

func newLineError(path string, line int, text []byte, err error) *LineError {
	return &LineError{Path: path, Line: line, Text: string(text[:min(len(text), shownText)]), Err: err}
}

var errUTF16 = errors.New("the manifest is UTF-16 text, as Windows PowerShell writes it: save it as UTF-8")

// Read yields the entries of a manifest. A [*LineError] concerns one line, and
// reading goes on after it; any other error is the last.
//
// It takes what is found in practice: a byte order mark, CRLF, blank lines, a
// last line without newline, and NaN and Infinity, which Python writes. A
// name that is there twice is an error, and so are invalid UTF-8 and arrays
// nested deeper than 200 levels. One line is in memory at a time.
func Read(r io.Reader, o Options) iter.Seq2[Entry, error] {
	paths := resolver{base: o.BaseDir}
	return read(r, "", o.maxLine(), func(e *Entry) error {
		e.AudioPath = paths.resolve(e.AudioPath)
		return nil
	})
}

// read yields the entries of the manifest path, each after finish has seen it.
func read(r io.Reader, path string, maxLine int, finish func(*Entry) error) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		lines := jsonl.NewLines(r, maxLine)
		for lines.Next() {
			line := jsonl.Trim(lines.Bytes(), lines.Number())
			if lines.Number() == 1 && isUTF16(line) {
				yield(Entry{}, errUTF16)
				return
			}
			if len(line) == 0 && !lines.TooLong() {
				continue
			}
			e, err := readLine(lines, line, maxLine)
			if err == nil {
				err = finish(&e)
			}
			if err != nil {
				e, err = Entry{}, newLineError(path, lines.Number(), line, err)
			}
			if !yield(e, err) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Entry{}, fmt.Errorf("manifest: reading after line %d: %w", lines.Number(), err))
		}
	}
}

func readLine(lines *jsonl.Lines, line []byte, maxLine int) (Entry, error) {
	if lines.TooLong() {
		return Entry{}, fmt.Errorf("longer than %d bytes, the limit in Options.MaxLine", maxLine)
	}
	return parse(line)
}

func isUTF16(line []byte) bool {
	return bytes.HasPrefix(line, []byte("\xff\xfe")) || bytes.HasPrefix(line, []byte("\xfe\xff"))
}

// resolver makes audio paths absolute as NeMo's get_full_path does: "~" is
// the home directory, and a relative path is looked for beside the manifest.
// What is not found there is left as it is, for it may be meant from the
// working directory, or be no file at all.
type resolver struct{ base string }

func (r resolver) resolve(path string) string {
	if r.base == "" || path == "" || filepath.IsAbs(path) {
		return path
	}
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	full := filepath.Join(r.base, path)
	if _, err := os.Stat(full); err != nil {
		return path
	}
	return full
}
