package whispercpp

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
)

func TestLive(t *testing.T) {
	for name, c := range map[string]struct {
		line string
		want []asr.Segment
	}{
		"a segment":          {"[00:00:01.000 --> 00:00:02.500]   Hello.", []asr.Segment{{Start: time.Second, End: 2500 * time.Millisecond, Text: "Hello."}}},
		"its end is late":    {"[00:00:01.000 --> 00:00:30.000]   Hello.", []asr.Segment{{Start: time.Second, End: time.Minute / 12, Text: "Hello."}}},
		"hours":              {"[123:00:00.000 --> 123:00:01.000]   Hello.", []asr.Segment{{Start: 5 * time.Second, End: 5 * time.Second, Text: "Hello."}}},
		"more than a number": {"[99999999999999999999:00:00.000 --> 00:00:01.000]   a", []asr.Segment{{Start: 0, End: time.Second, Text: "a"}}},
		"not UTF-8":          {"[00:00:01.000 --> 00:00:02.000]   \xe6\x97[_TT_50]", []asr.Segment{{Start: time.Second, End: 2 * time.Second, Text: "\uFFFD"}}},
		"silence":            {"[00:00:00.000 --> 00:00:10.000]   [BLANK_AUDIO]", nil},
		"no text":            {"[00:00:00.000 --> 00:00:10.000]  ", nil},
		"a line of text":     {"and so on", nil},
		"nearly":             {"[00:00:01.000 --> 00:00:02.000] x", nil},
		"spoken brackets":    {"[laughs]", nil},
		"empty":              {"", nil},
	} {
		var heard []asr.Segment
		u := asr.Utterance{Duration: 5 * time.Second, Heard: func(s asr.Segment) { heard = append(heard, s) }}
		newLive(u).line([]byte(c.line))
		require.Equal(t, c.want, heard, name)
	}
	newLive(asr.Utterance{}).line([]byte("[00:00:01.000 --> 00:00:02.500]   Nobody listens."))
}

func FuzzLive(f *testing.F) {
	f.Add([]byte("[00:00:01.000 --> 00:00:02.500]   Hello."), []byte("[00:00:00.000 --> 10:00:02.500]  \xff"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		const duration = 5 * time.Second
		last := time.Duration(0)
		l := newLive(asr.Utterance{Duration: duration, Heard: func(s asr.Segment) {
			require.True(t, last <= s.Start && s.Start <= s.End && s.End <= duration)
			last = s.Start
		}})
		l.line(a)
		l.line(b)
	})
}
