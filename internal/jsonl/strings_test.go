package jsonl_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/jsonl"
)

func TestAppendQuoted(t *testing.T) {
	for in, want := range map[string]string{
		"":             `""`,
		"plain":        `"plain"`,
		"\"\\/":        `"\"\\/"`,
		"\b\f\n\r\t":   `"\b\f\n\r\t"`,
		"\x00\x1f\x7f": "\"\\u0000\\u001f\x7f\"",
		"grün":         `"gr\u00fcn"`,
		"😀!":           `"\ud83d\ude00!"`,
		"a\xffb":       `"a\ufffdb"`,
		"\u2028<&>":    `"\u2028<&>"`,
	} {
		require.Equal(t, want, string(jsonl.AppendQuoted(nil, in)), "%q", in)
	}
}

func TestUnquoteReplacesLoneSurrogates(t *testing.T) {
	for in, want := range map[string]string{
		`\ud83d\ude00`:       "😀",
		`\ud83d`:             "\ufffd",
		`\ud83dx`:            "\ufffdx",
		`\ud83d\n`:           "\ufffd\n",
		`\ude00\ud83d`:       "\ufffd\ufffd",
		`\ud83d\ud83d\ude00`: "\ufffd😀",
		`\ud83d\u0041`:       "\ufffdA",
	} {
		require.Equal(t, want, jsonl.Unquote(in), in)
		require.True(t, jsonl.EqualUnquoted(in, want), in)
		require.False(t, jsonl.EqualUnquoted(in, want+"x"), in)
		require.False(t, jsonl.EqualUnquoted(in+"x", want), in)
	}
}

func TestAppendASCII(t *testing.T) {
	in := "{\"é\": \"\\u00E9 ü😀\",\r\"n\":\t1.50,\n\"e\": NaN}"
	want := "{\"\\u00e9\": \"\\u00E9 \\u00fc\\ud83d\\ude00\", \"n\":\t1.50, \"e\": NaN}"
	require.Equal(t, want, string(jsonl.AppendASCII(nil, in)))
	require.False(t, jsonl.IsPlain([]byte(in)))
	require.True(t, jsonl.IsPlain([]byte(want)))
}

// FuzzUnquote compares with encoding/json over every valid string.
func FuzzUnquote(f *testing.F) {
	for _, seed := range []string{`a\n\u00e9`, `\ud83d\ude00`, `\ud83d`, `\"\\\/`, "é", `\uDEAD\uBEEF`} {
		f.Add(seed, "other")
	}
	f.Fuzz(func(t *testing.T, inner, other string) {
		quoted := []byte(`"` + inner + `"`)
		if end, err := jsonl.Value(quoted, 0); err != nil || end != len(quoted) {
			t.Skip("not a string")
		}
		var want string
		require.NoError(t, json.Unmarshal(quoted, &want))
		require.Equal(t, want, jsonl.Unquote(inner))
		require.True(t, jsonl.EqualUnquoted(inner, want))
		require.Equal(t, want == other, jsonl.EqualUnquoted(inner, other))
	})
}

// FuzzAppend writes any text and reads it with encoding/json.
func FuzzAppend(f *testing.F) {
	for _, seed := range []string{"a\"b", "grün 😀", "\xff\xfe", "\x00\x7f", "\r\n\u2029"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := jsonl.AppendQuoted(nil, s)
		require.True(t, jsonl.IsPlain(quoted))
		var got string
		require.NoError(t, json.Unmarshal(quoted, &got))
		require.Equal(t, string([]rune(s)), got)
		require.True(t, jsonl.EqualUnquoted(string(quoted[1:len(quoted)-1]), got))

		if raw, err := json.Marshal(s); err == nil {
			ascii := jsonl.AppendASCII(nil, string(raw))
			require.True(t, jsonl.IsPlain(ascii))
			require.JSONEq(t, string(raw), string(ascii))
			require.Equal(t, jsonl.IsPlain(raw), string(raw) == string(ascii))
		}
		require.Equal(t, strings.ContainsFunc(s, func(r rune) bool {
			return r >= 0x80 || r == '\r' || r == '\n'
		}), !jsonl.IsPlain([]byte(s)))
	})
}
