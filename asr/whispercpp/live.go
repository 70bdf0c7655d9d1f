package whispercpp

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/asr"
)

// live passes on the segments that whisper.cpp prints while it works. Text is
// printed as it is, with line breaks in it too; a line that is not the first of
// a segment is left out.
type live struct {
	clock clock
	heard func(asr.Segment)
}

func newLive(u asr.Utterance) *live { return &live{clock{end: u.Duration}, u.Heard} }

// printed matches a segment as it is printed.
var printed = regexp.MustCompile(`^\[(\d\d+):(\d\d):(\d\d)\.(\d{3}) --> (\d\d+):(\d\d):(\d\d)\.(\d{3})\]  (.*)$`)

func (l *live) line(b []byte) {
	if l.heard == nil || len(b) == 0 || b[0] != '[' {
		return
	}
	m := printed.FindSubmatch(b)
	if m == nil {
		return
	}
	text := plain(m[9])
	if isBlank(text) {
		return
	}
	from, to := l.clock.span(offsets{From: milliseconds(m[1:5]), To: milliseconds(m[5:9])})
	l.heard(asr.Segment{Start: from, End: to, Text: strings.TrimSpace(text)})
}

// milliseconds adds up hours, minutes, seconds and milliseconds; 0 for what
// cannot be a time.
func milliseconds(parts [][]byte) (total int64) {
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second, time.Millisecond} {
		n, err := strconv.Atoi(string(parts[i]))
		if err != nil || n > 1e6 {
			return 0
		}
		total += int64(n) * unit.Milliseconds()
	}
	return total
}
