// Package subtitle writes transcripts in the formats that players, editors and
// speech tools read: [Write] does one, and [Parse] reads a list of them. Whatever
// an engine claims to have heard, line breaks, arrows and mark-up included, the
// file stays well-formed.
package subtitle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/asr"
)

// Format names a file format; it is the file's extension too.
type Format string

const (
	TXT  Format = "txt"  // one segment a line
	SRT  Format = "srt"  // SubRip
	VTT  Format = "vtt"  // WebVTT (W3C)
	TSV  Format = "tsv"  // start and end in milliseconds, text
	JSON Format = "json" // the shape of openai-whisper
	CTM  Format = "ctm"  // NIST's time-marked conversation: one word a line
)

// ErrNoWords means that a format needs words with times and the transcript has
// none.
var ErrNoWords = errors.New("the format needs words with times, and the transcript has none; ask the engine for words")

// Parse reads a comma-separated list of formats, such as "txt,srt".
func Parse(list string) ([]Format, error) {
	var formats []Format
	for name := range strings.SplitSeq(list, ",") {
		f := Format(strings.ToLower(strings.TrimSpace(name)))
		switch f {
		case TXT, SRT, VTT, TSV, JSON, CTM:
			formats = append(formats, f)
		default:
			return nil, fmt.Errorf("unknown format %q; there are txt, srt, vtt, tsv, json and ctm", name)
		}
	}
	return formats, nil
}

// Write writes a transcript to w. Times count from the beginning of the
// utterance, except in [CTM], whose lines name the recording: there they count
// from the beginning of that, so that its stretches can be put together.
func Write(w io.Writer, f Format, t asr.Transcript) error {
	out := bufio.NewWriter(w)
	var err error
	switch segments := segmentsOf(t); f {
	case TXT:
		writeTXT(out, segments)
	case SRT:
		writeSRT(out, segments)
	case VTT:
		writeVTT(out, segments)
	case TSV:
		writeTSV(out, segments)
	case JSON:
		err = writeJSON(out, t, segments)
	case CTM:
		err = writeCTM(out, t)
	default:
		err = fmt.Errorf("unknown format %q", f)
	}
	return errors.Join(err, out.Flush())
}

// segmentsOf gives at least one segment to a transcript that has text, and none
// a time before the recording or an end before its start.
func segmentsOf(t asr.Transcript) []asr.Segment {
	segments := slices.Clone(t.Segments)
	if len(segments) == 0 && t.Text != "" {
		segments = []asr.Segment{{End: t.Duration, Text: t.Text}}
	}
	for i := range segments {
		s := &segments[i]
		s.Start, s.End = span(s.Start, s.End)
	}
	return segments
}

func span(start, end time.Duration) (from, to time.Duration) {
	from = max(0, start)
	return from, max(from, end)
}

// confidence is between 0 and 1; 0 is none, and so is what cannot be.
func confidence(w asr.Word) float64 {
	if w.Confidence > 0 { // also not for NaN
		return min(w.Confidence, 1)
	}
	return 0
}

func writeTXT(w *bufio.Writer, segments []asr.Segment) {
	for _, s := range segments {
		fmt.Fprintln(w, oneLine(s.Text))
	}
}

func writeSRT(w *bufio.Writer, segments []asr.Segment) {
	for i, s := range segments {
		fmt.Fprintf(w, "%d\n%s --> %s\n%s\n\n", i+1, stamp(s.Start, ','), stamp(s.End, ','), cueText(s.Text))
	}
}

func writeVTT(w *bufio.Writer, segments []asr.Segment) {
	// WebVTT allows & and < in text only as entities (W3C WebVTT, 3.4).
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	fmt.Fprint(w, "WEBVTT\n\n")
	for _, s := range segments {
		fmt.Fprintf(w, "%s --> %s\n%s\n\n", stamp(s.Start, '.'), stamp(s.End, '.'), escape.Replace(oneLine(s.Text)))
	}
}

// writeTSV writes what openai-whisper does: a quotation mark is a character.
func writeTSV(w *bufio.Writer, segments []asr.Segment) {
	fmt.Fprint(w, "start\tend\ttext\n")
	for _, s := range segments {
		fmt.Fprintf(w, "%d\t%d\t%s\n", milliseconds(s.Start), milliseconds(s.End), oneLine(s.Text))
	}
}

// oneLine replaces every run of white space and control characters by a space.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return r <= ' ' || r == 0x7f || r >= 0x80 && r <= 0xa0 || r == '\u2028' || r == '\u2029'
	}), " ")
}

// cueText is a line that no reader of SRT takes for a time, or for the blank
// line that ends a cue. SRT knows no escapes, so mark-up stays what it is.
func cueText(s string) string {
	s = strings.ReplaceAll(oneLine(s), "-->", "-- >")
	if s == "" {
		return "\u00a0"
	}
	return s
}

func milliseconds(d time.Duration) int64 { return d.Round(time.Millisecond).Milliseconds() }

// stamp writes hours, minutes, seconds and milliseconds.
func stamp(d time.Duration, point rune) string {
	ms := milliseconds(d)
	return fmt.Sprintf("%02d:%02d:%02d%c%03d", ms/3600000, ms/60000%60, ms/1000%60, point, ms%1000)
}
