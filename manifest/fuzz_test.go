package manifest_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
)

// FuzzRead compares with encoding/json, writes what was read, and reads that
// again.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"audio_filepath": "a.wav", "duration": 1.25, "text": "gr\u00fcn \ud83d\ude00", "x": [1, {"y": null}]}`,
		`{"audio_filename": "é", "normalized_text": null, "offset": -0.0, "_n": 1}`,
		"\xef\xbb\xbf{}\r\n\n{\"a\":1,\"a\":2}\n{\"b\":\rNaN}", `{"\ud83d": "\ud83d", "duration": 1e-9}`,
		"{\"a\": \"\xff\"}", "\x00\x00\x00", `{ "text":"" , "lang" :"x" }`, `{"duration": 123456789012345678901}`,
	} {
		f.Add(seed, "pred", int64(1))
	}
	f.Fuzz(func(t *testing.T, in, pred string, length int64) {
		entries, _ := readAll(in, manifest.Options{MaxLine: 1 << 20})
		for _, e := range entries {
			line := e.AppendJSON(nil)
			require.NotContains(t, string(line), "\n")
			require.NotContains(t, string(line), "\r")
			require.False(t, bytes.ContainsFunc(line, func(r rune) bool { return r >= utf8.RuneSelf }))
			again := one(t, string(line))
			require.Equal(t, string(line), written(again))
			sameEntry(t, e, again)

			changed := e
			changed.PredText, changed.Duration = strings.ToValidUTF8(pred, "?"), time.Duration(length)
			require.NoError(t, changed.Extra.Set("a new one", pred))
			sameEntry(t, changed, one(t, written(changed)))
			changed.Extra.Delete("a new one")
			changed.PredText, changed.Duration = e.PredText, e.Duration
			sameEntry(t, e, one(t, written(changed)))
		}
		if len(entries) == 1 && strings.Count(in, "\n") == 0 && json.Valid([]byte(in)) {
			var all map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(in), &all))
			if raw, ok := all["pred_text"]; ok {
				var want string
				require.NoError(t, json.Unmarshal(raw, &want))
				require.Equal(t, want, entries[0].PredText)
			}
			for name, value := range entries[0].Extra.All() {
				require.Equal(t, string(all[name]), string(value))
			}
		}
	})
}

// sameEntry compares what programs see of two entries.
func sameEntry(t *testing.T, a, b manifest.Entry) {
	t.Helper()
	require.Equal(t, visible(a), visible(b))
}

func visible(e manifest.Entry) []any {
	v := []any{e.AudioPath, e.Offset, e.Duration, e.Text, e.PredText, e.Lang}
	for name, value := range e.Extra.All() {
		// Escaped or not, the same text.
		ascii := written(manifest.Entry{Extra: set(value)})
		v = append(v, name, ascii)
	}
	return v
}

func set(value json.RawMessage) (f manifest.Fields) {
	if err := f.Set("x", value); err != nil {
		panic(err)
	}
	return f
}
