package asrtest

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/asr"
)

// broken lists the rules that a transcript breaks.
func broken(t asr.Transcript, duration time.Duration) []string {
	var found []string
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if !utf8.ValidString(t.Text) {
		add("text: %q is not UTF-8", t.Text)
	}
	var last time.Duration
	for i, s := range t.Segments {
		if v := outside(s.Start, s.End, duration); v != "" {
			add("times: segment %d %s", i+1, v)
		}
		if s.Start < last {
			add("times: segment %d begins at %v, the one before it at %v", i+1, s.Start, last)
		}
		if !utf8.ValidString(s.Text) {
			add("text: segment %d: %q is not UTF-8", i+1, s.Text)
		}
		last = s.Start
	}
	last = 0
	for i, w := range t.Words {
		if v := outside(w.Start, w.End, duration); v != "" {
			add("times: word %d, %q, %s", i+1, w.Text, v)
		}
		if w.Start < last {
			add("times: word %d, %q, begins at %v, the one before it at %v", i+1, w.Text, w.Start, last)
		}
		if !(w.Confidence >= 0 && w.Confidence <= 1) { // or not a number
			add("words: word %d, %q, has confidence %v, must be 0 to 1", i+1, w.Text, w.Confidence)
		}
		if strings.TrimSpace(w.Text) == "" || !utf8.ValidString(w.Text) {
			add("words: word %d has the text %q", i+1, w.Text)
		}
		last = w.Start
	}
	return found
}

// outside says how a stretch does not lie within a recording, or nothing.
func outside(start, end, duration time.Duration) string {
	switch {
	case start < 0:
		return fmt.Sprintf("begins at %v", start)
	case end < start:
		return fmt.Sprintf("ends at %v, before it begins, at %v", end, start)
	case end > duration:
		return fmt.Sprintf("ends at %v, but the recording lasts %v", end, duration)
	}
	return ""
}

// plain gives a text's words without case and punctuation.
func plain(text string) string {
	var words []string
	for _, word := range strings.Fields(text) {
		if word = letters(word); word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// letters keeps letters, digits and marks, in lower case.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}
