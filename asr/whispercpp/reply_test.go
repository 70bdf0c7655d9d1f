package whispercpp

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
)

func TestReply(t *testing.T) {
	r, err := parseReply([]byte(`{"language":"japanese","segments":[
		{"text":" a` + "\uFFFD" + `","start":0,"end":1e300,"tokens":[1,2],"words":[{"word":" a","start":0,"end":0.5,"probability":0.5},{"word":"` + "\uFFFD" + `","start":0.5,"end":1}]},
		{"text":"` + "\uFFFD" + `b","start":1,"end":2,"tokens":[3,4,5],"words":[{"word":"` + "\uFFFD" + `","start":1,"end":1.5},{"word":"b","start":1.5,"end":-7}]},
		{"text":" [BLANK_AUDIO]","start":2,"end":10,"avg_logprob":null}]}`))
	require.NoError(t, err)
	require.True(t, r.damaged())
	r.restore([]string{"", " a", "\xe6\x97", "\xa5", " ", "b"})
	got := r.output().transcript(3*time.Second, true)
	require.Equal(t, "ja", got.Language)
	require.Equal(t, "a日 b", got.Text)
	require.Equal(t, []asr.Segment{{End: 3 * time.Second, Text: "a日"}, {Start: time.Second, End: 2 * time.Second, Text: "b"}}, got.Segments)

	r.restore(nil) // tokens of another vocabulary change nothing
	require.Equal(t, "a日 b", r.output().transcript(3*time.Second, true).Text)

	for _, bad := range []string{"", "{", "[]", "{}", `{"segments":null}`, `{"segments":[{"start":"0"}]}`} {
		_, err := parseReply([]byte(bad))
		require.Error(t, err, bad)
	}
}

func FuzzReply(f *testing.F) {
	f.Add([]byte(`{"language":"german","segments":[{"text":" a","start":0,"end":1e300,"tokens":[1,2],"words":[{"word":"\ufffd","start":-1,"end":1e9}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseReply(b)
		if err != nil {
			return
		}
		r.restore([]string{"a", "\xe6\x97"})
		checkTranscript(t, r.output())
	})
}

func TestLanguageCode(t *testing.T) {
	for name, code := range map[string]string{"english": "en", "haitian creole": "ht", "cantonese": "yue", "": "", "klingon": "", "en": "", "=": "", ",zh=chinese": ""} {
		require.Equal(t, code, languageCode(name), name)
	}
	for _, code := range []string{"en", "yue", "haw", "auto"} {
		require.True(t, knownLanguage(code), code)
	}
	for _, code := range []string{"", "english", "en=english,zh", "En", ","} {
		require.False(t, knownLanguage(code), code)
	}
}
