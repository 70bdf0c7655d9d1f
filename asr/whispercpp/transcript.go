package whispercpp

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/asr"
)

// transcript turns the engine's output into ours: special tokens dropped, split
// characters joined, and times kept within the recording, which the engine
// pads to 30 seconds.
func (o *output) transcript(duration time.Duration, words bool) asr.Transcript {
	t := asr.Transcript{Language: o.Result.Language}
	segments := *o.Transcription
	joinCharacters(segments)
	clock := clock{end: duration}
	var text strings.Builder
	for _, s := range segments {
		from, to := clock.span(s.Offsets)
		said := plain(s.Text)
		if isBlank(said) {
			continue
		}
		text.WriteString(said)
		t.Segments = append(t.Segments, asr.Segment{Start: from, End: to, Text: strings.TrimSpace(said)})
	}
	t.Text = strings.TrimSpace(text.String())
	if words {
		t.Words = o.words(duration)
	}
	return t
}

// special matches the names that whisper.cpp prints for tokens without text.
var special = regexp.MustCompile(`\[_[A-Z]+_?(\d+)?_?\]`)

func plain(raw []byte) string {
	return strings.ToValidUTF8(special.ReplaceAllString(string(raw), ""), "\uFFFD")
}

// isBlank tells whether the engine says that nobody spoke.
func isBlank(text string) bool {
	text = strings.TrimSpace(text)
	return text == "" || text == "[BLANK_AUDIO]"
}

// joinCharacters moves the bytes of a character that was split between two
// segments to the first of them.
func joinCharacters(segments []outputSegment) {
	for i := range segments {
		if i+1 == len(segments) {
			return
		}
		here, next := &segments[i].Text, &segments[i+1].Text
		missing := incomplete(*here)
		if missing > 0 && missing <= len(*next) && !utf8.RuneStart((*next)[0]) {
			*here = append(slices.Clip(*here), (*next)[:missing]...)
			*next = (*next)[missing:]
		}
	}
}

// incomplete counts the bytes that the last character of b still lacks.
func incomplete(b []byte) int {
	for back := 1; back <= min(3, len(b)); back++ {
		c := b[len(b)-back]
		if !utf8.RuneStart(c) {
			continue
		}
		size := 1
		switch {
		case c >= 0xF0:
			size = 4
		case c >= 0xE0:
			size = 3
		case c >= 0xC0:
			size = 2
		}
		return max(0, size-back)
	}
	return 0
}

// clock keeps times within the recording and in order.
type clock struct {
	last, end time.Duration
}

func (c *clock) span(o offsets) (from, to time.Duration) {
	from = c.clamp(time.Duration(o.From) * time.Millisecond)
	to = max(from, c.clamp(time.Duration(o.To)*time.Millisecond))
	c.last = from
	return from, to
}

func (c *clock) clamp(t time.Duration) time.Duration {
	if c.end > 0 {
		t = min(t, c.end)
	}
	return max(t, c.last, 0)
}

// words joins tokens, which are parts of words. A new word begins with a space;
// in scripts without spaces each token is one, as in Whisper itself.
func (o *output) words(duration time.Duration) []asr.Word {
	spaceless := slices.Contains([]string{"zh", "ja", "th", "lo", "my", "yue"}, o.Result.Language)
	words := []asr.Word{}
	clock := clock{end: duration}
	var tokens int
	var pending []byte
	for _, s := range *o.Transcription {
		if isBlank(plain(s.Text)) {
			continue
		}
		for _, token := range s.Tokens {
			raw := special.ReplaceAll(token.Text, nil)
			if token.ID >= o.endOfText() || len(raw) == 0 {
				continue
			}
			from, to := clock.span(token.Offsets)
			whole := incomplete(pending) == 0 // no character is being put together
			pending = append(pending, raw...)
			if begins := raw[0] == ' ' || spaceless; len(words) == 0 || begins && whole {
				words = append(words, asr.Word{Start: from})
				pending, tokens = bytes.Clone(raw), 0
			}
			w := &words[len(words)-1]
			w.End = max(w.End, to)
			w.Text = strings.TrimSpace(plain(pending))
			w.Confidence = (w.Confidence*float64(tokens) + max(0, min(token.Confidence, 1))) / float64(tokens+1)
			tokens++
		}
	}
	return slices.DeleteFunc(words, func(w asr.Word) bool { return w.Text == "" })
}

// endOfText is the first special token: it follows the ordinary ones, of which
// the English models have one less.
func (o *output) endOfText() int {
	if o.Model.Vocabulary == 51864 {
		return 50256
	}
	return 50257
}
