package manifest_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
)

// one reads a line that must be good.
func one(t *testing.T, line string) manifest.Entry {
	t.Helper()
	entries, errs := readAll(line, manifest.Options{})
	require.Empty(t, errs)
	require.Len(t, entries, 1)
	return entries[0]
}

func written(e manifest.Entry) string { return string(e.AppendJSON(nil)) }

func TestANewEntryIsWrittenWithWhatItHas(t *testing.T) {
	require.Equal(t, `{}`, written(manifest.Entry{}))
	require.Equal(t, `{"audio_filepath": "a.wav"}`, written(manifest.Entry{AudioPath: "a.wav"}))

	e := manifest.Entry{AudioPath: `C:\Ann's "x"\ä.wav`, Offset: time.Second, Duration: 1250 * time.Millisecond,
		Text: "grün", PredText: "grun", Lang: "de"}
	require.NoError(t, e.Extra.Set("speaker", "Zoë"))
	require.Equal(t, `{"audio_filepath": "C:\\Ann's \"x\"\\\u00e4.wav", "offset": 1.0, "duration": 1.25, `+
		`"text": "gr\u00fcn", "pred_text": "grun", "lang": "de", "speaker": "Zo\u00eb"}`, written(e))
}

func TestAnEntryThatWasReadIsWrittenAsItWas(t *testing.T) {
	for _, line := range []string{
		`{}`,
		`{ }`,
		`{"audio_filepath": "a.wav", "duration": 1.50, "text": ""}`,
		`{"z":1,"text":"gr\u00FCn","a" : [1,  2],"duration":1e0,"audio_filepath":"a.wav", "B": {"x": NaN}}`,
		`{"lang": null, "text": null, "duration": null, "offset": -0.0}`,
		`{"audio_filename": "a.wav", "normalized_text": "x", "big": 123456789012345678901234567890, "inf": 1e400}`,
		`{"text": "\ud83d", "dur": "\ud83d"}`,
		`{"audio_filepath": "a.wav", "TEXT": "other", "text": "x", "` + `\u0074ext2": 1}`,
	} {
		require.Equal(t, line, written(one(t, line)))
		data, err := one(t, line).MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, line, string(data))
	}
	require.Equal(t, `{"a": "\u00e9", "\u00fc": [1, 2]}`, written(one(t, "{\"a\": \"é\", \"ü\": [1,\r2]}")))
}

func TestOnlyWhatChangedIsReplaced(t *testing.T) {
	line := `{"z":1, "text":"old", "duration":1.50, "audio_filename":"a.wav" , "x": [1,  2] }`
	e := one(t, line)
	require.Equal(t, "a.wav", e.AudioPath)
	e.AudioPath, e.Duration, e.PredText, e.Lang = "b.wav", 2*time.Second, "new", "de"
	require.Equal(t, `{"z":1, "text":"old", "duration":2.0, "audio_filename":"b.wav" , "x": [1,  2], `+
		`"pred_text": "new", "lang": "de" }`, written(e))

	e = one(t, line)
	e.Text, e.Duration = "", 0
	require.Equal(t, `{"z":1, "text":"", "duration":0.0, "audio_filename":"a.wav" , "x": [1,  2] }`, written(e),
		"a field that was there stays there")

	e = one(t, `{ "x": 1, "text": null}`)
	e.AudioPath, e.Text = "a.wav", "t"
	require.Equal(t, `{"audio_filepath": "a.wav", "x": 1, "text": "t"}`, written(e))
	e = one(t, `{ }`)
	e.AudioPath = "a.wav"
	require.Equal(t, `{"audio_filepath": "a.wav"}`, written(e))
}

func TestTheBestNameWins(t *testing.T) {
	e := one(t, `{"audio_file": "3", "audio_filename": "2", "audio_filepath": "1", "normalized_text": "n", "text": "t"}`)
	require.Equal(t, "1", e.AudioPath)
	require.Equal(t, "t", e.Text)
	var others []string
	for name, value := range e.Extra.All() {
		others = append(others, name+"="+string(value))
	}
	require.Equal(t, []string{`audio_file="3"`, `audio_filename="2"`, `normalized_text="n"`}, others)
}

func TestDurations(t *testing.T) {
	for in, want := range map[string]time.Duration{
		`0`: 0, `3`: 3 * time.Second, `0.1`: 100 * time.Millisecond, `16.184999999999999`: 16185 * time.Millisecond,
		`1.000000001`: time.Second + 1, `1e-3`: time.Millisecond, `-1.5`: -1500 * time.Millisecond,
		`999999999.999999999`: 999999999999999999, `9e9`: 9e18, `0.30000000000000004`: 300 * time.Millisecond,
		`1234567890.5`: 1234567890500 * time.Millisecond,
	} {
		require.Equal(t, want, one(t, `{"duration": `+in+`}`).Duration, in)
	}
	for want, d := range map[string]time.Duration{
		`0.000000001`: 1, `2.0`: 2 * time.Second, `0.25`: 250 * time.Millisecond, `-1.5`: -1500 * time.Millisecond,
		`-9223372036.854775808`: -1 << 63, `9223372036.854775807`: 1<<63 - 1, `1234567890.123456789`: 1234567890123456789,
	} {
		require.Equal(t, `{"duration": `+want+`}`, written(manifest.Entry{Duration: d}))
		require.Equal(t, d, one(t, `{"duration": `+want+`}`).Duration, "what was written is read")
	}
}

func TestExtra(t *testing.T) {
	e := one(t, `{"audio_filepath": "a.wav", "speaker": "s1", "text": "x", "\u0074ags":[1, 2]}`)
	value, ok := e.Extra.Get("tags")
	require.True(t, ok)
	require.Equal(t, json.RawMessage(`[1, 2]`), value)
	_, ok = e.Extra.Get("text")
	require.False(t, ok, "text is in Entry.Text")
	_, ok = e.Extra.Get("none")
	require.False(t, ok)

	changed := e
	require.NoError(t, changed.Extra.Set("speaker", 7))
	require.NoError(t, changed.Extra.Set("new", map[string]any{"é": []int{1}}))
	changed.Extra.Delete("tags")
	changed.Extra.Delete("none")
	changed.Extra.Delete("audio_filepath")
	require.Equal(t, `{"audio_filepath": "a.wav", "speaker": 7, "text": "x", "new": {"\u00e9":[1]}}`, written(changed))
	require.Equal(t, `{"audio_filepath": "a.wav", "speaker": "s1", "text": "x", "\u0074ags":[1, 2]}`, written(e),
		"the original stays")

	changed.Extra.Delete("speaker")
	changed.Extra.Delete("new")
	require.Equal(t, `{"audio_filepath": "a.wav", "text": "x"}`, written(changed))

	var fields manifest.Fields
	fields.Delete("x")
	require.NoError(t, fields.Set("a", 1))
	require.NoError(t, fields.Set("b", json.RawMessage(" [NaN,\n1] ")))
	require.Equal(t, `{"audio_filepath": "x", "a": 1, "b": [NaN, 1]}`, written(manifest.Entry{AudioPath: "x", Extra: fields}))
	fields.Delete("a")
	require.Equal(t, `{"b": [NaN, 1]}`, written(manifest.Entry{Extra: fields}))
	fields.Delete("b")
	require.Equal(t, `{}`, written(manifest.Entry{Extra: fields}))
}

func TestSetRefuses(t *testing.T) {
	e := one(t, `{"audio_filename": "a.wav"}`)
	for name, value := range map[string]any{
		"text":           "x",                     // Entry.Text
		"audio_filename": "x",                     // Entry.AudioPath came from it
		"channel":        make(chan int),          // no JSON
		"two":            json.RawMessage(`1 2`),  // not one value
		"none":           json.RawMessage(nil),    // not a value
		"bad":            json.RawMessage(`{"a"`), // half a value
	} {
		require.ErrorContains(t, e.Extra.Set(name, value), `manifest field "`+name+`": `)
	}
	require.Equal(t, `{"audio_filename": "a.wav"}`, written(e))
}

func TestEntryInJSONMessages(t *testing.T) {
	var message struct{ Work []manifest.Entry }
	in := `{"Work":[{"z":1,"audio_filepath":"a.wav"},{"text":"gr\u00fcn"}]}`
	require.NoError(t, json.Unmarshal([]byte(in), &message))
	require.Equal(t, "grün", message.Work[1].Text)
	out, err := json.Marshal(message)
	require.NoError(t, err)
	require.Equal(t, in, string(out))

	err = json.Unmarshal([]byte(`{"Work":[{"duration":"1.5"}]}`), &message)
	require.ErrorContains(t, err, `manifest entry: "duration" is the string "1.5", not a number of seconds`)

	var e manifest.Entry
	require.NoError(t, json.Unmarshal([]byte("{\n  \"a\": [\n 1\n],\r\n \"text\": \"x\"}"), &e))
	require.Equal(t, `{   "a": [  1 ],   "text": "x"}`, written(e), "always one line")
}

func TestAnEntryOfSeveralLinesCanBeChanged(t *testing.T) {
	read := func(text string) (e manifest.Entry) {
		require.NoError(t, json.Unmarshal([]byte(text), &e))
		return e
	}
	empty := read("{\n}")
	require.NoError(t, empty.Extra.Set("a", 1))
	require.Equal(t, `{"a": 1}`, written(empty))

	two := read("{\n\"a\": 1\n,\n\"b\": 2\n}")
	require.NoError(t, two.Extra.Set("c", 3))
	two.Extra.Delete("a")
	two.PredText = "x"
	require.Equal(t, `{"pred_text": "x", "b": 2, "c": 3}`, written(two))
	two.Extra.Delete("b")
	two.Extra.Delete("c")
	require.Equal(t, `{"pred_text": "x"}`, written(two))

	audio := read("{\"audio_filepath\": \"a.wav\"\n}")
	audio.PredText = "x"
	require.Equal(t, `{"audio_filepath": "a.wav", "pred_text": "x" }`, written(audio))
}
