package jsonl_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/jsonl"
)

// check is the strict reading of one whole value.
func check(b []byte) error {
	b = jsonl.Trim(b, 0)
	end, err := jsonl.Value(b, 0)
	if err != nil {
		return err
	}
	if end != len(b) {
		return &jsonl.SyntaxError{Byte: end + 1, Reason: "text after the value"}
	}
	return nil
}

func TestValue(t *testing.T) {
	deep := strings.Repeat("[", jsonl.MaxDepth) + strings.Repeat("]", jsonl.MaxDepth)
	for _, good := range []string{
		`0`, `-0`, `-0.0e+1`, `1E-7`, `123456789012345678901234567890`, `1e400`,
		`NaN`, `Infinity`, `-Infinity`, `true`, `false`, `null`,
		`""`, `"é😀"`, `"\u00e9\ud83d"`, `"\"\\\/\b\f\n\r\t"`, `"eight or more ASCII characters, and é"`,
		`[]`, `[ 1 , [2] , {} ]`, `{}`, `{ "a" : 1 , "a" : [ ] }`, deep,
	} {
		require.NoError(t, check([]byte(good)), good)
	}
	for bad, reason := range map[string]string{
		``:                         "the line ends where a value is expected at byte 1",
		`x`:                        "'x' where a value is expected at byte 1",
		`tru`:                      "'t' where a value is expected at byte 1",
		`nul`:                      "'n' where a value is expected at byte 1",
		`-`:                        "the line ends where a digit is expected at byte 2",
		`-Inf`:                     "'I' where a value is expected at byte 2",
		`+1`:                       "'+' where a value is expected at byte 1",
		`01`:                       "a number with a leading zero at byte 1",
		`1.`:                       "the line ends where a digit is expected at byte 3",
		`.5`:                       "'.' where a value is expected at byte 1",
		`1e`:                       "the line ends where a digit is expected at byte 3",
		`1} x`:                     "text after the value at byte 2",
		`{"a":1}{"b":2}`:           "text after the value at byte 8",
		`{"a":1,}`:                 "'}' where a name in quotes is expected at byte 8",
		`{,}`:                      "',' where a name in quotes is expected at byte 2",
		`{"a" 1}`:                  "'1' where ':' is expected at byte 6",
		`{"a":1 "b":2}`:            "'\"' where ',' or '}' is expected at byte 8",
		`[1,]`:                     "']' where a value is expected at byte 4",
		`[1 2]`:                    "'2' where ',' or ']' is expected at byte 4",
		`[`:                        "the line ends where a value is expected at byte 2",
		`"abc`:                     "the line ends within a string at byte 5",
		`"abc\`:                    "the line ends within a string at byte 5",
		`"\x"`:                     "an unknown escape at byte 2",
		`"\u12G4"`:                 "'G' where a hexadecimal digit is expected at byte 6",
		"\"a\tb\"":                 "the control character 0x09 in a string at byte 3",
		"\"12345678901\x00\"":      "the control character 0x00 in a string at byte 13",
		"\"a\xffb\"":               "invalid UTF-8 at byte 3",
		"\"\xed\xa0\x80\"":         "invalid UTF-8 at byte 2",
		"[" + deep + "]":           "more than 200 nested levels at byte 201",
		strings.Repeat("[", 1<<20): "more than 200 nested levels at byte 201",
	} {
		require.EqualError(t, check([]byte(bad)), reason, "%.40s", bad)
	}
}

func FuzzValue(f *testing.F) {
	for _, seed := range []string{
		`{"audio_filepath": "a.wav", "duration": 1.25, "text": "gr\u00fcn \ud83d\ude00", "x": [1, {"y": null}]}`,
		`[NaN, -Infinity, 1e400, "é"]`, `{"a":1}x`, "\"\xff\"", `"1234567\"`, `-01.5e+`, "\"1234567\x1f\"",
		`[[[[{"":""}]]]]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := check(data)
		if bytes.Contains(data, []byte("NaN")) || bytes.Contains(data, []byte("Infinity")) {
			return // beyond the standard
		}
		if bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > jsonl.MaxDepth {
			return // maybe too deep
		}
		// encoding/json lets invalid UTF-8 pass; it can stand in strings alone.
		want := json.Valid(data) && utf8.Valid(data)
		require.Equal(t, want, err == nil, "%q: %v", data, err)
	})
}

func TestObject(t *testing.T) {
	text := []byte(`{ "a" : 1.50 , "b\u0062":"x\n", "c":"plain","a":[1, 2] }`)
	o, err := jsonl.OpenObject(text)
	require.NoError(t, err)
	var f jsonl.Field
	var got []string
	for {
		more, err := o.Next(&f)
		require.NoError(t, err)
		if !more {
			break
		}
		require.EqualValues(t, '"', text[f.Key])
		got = append(got, string(text[f.Key+1:f.NameEnd])+"="+string(text[f.Start:f.End]))
		require.Equal(t, strings.Contains(string(text[f.Key:f.NameEnd]), `\`), f.EscapedName)
		require.Equal(t, strings.Contains(string(text[f.Start:f.End]), `\`), f.EscapedString)
	}
	require.NoError(t, o.End())
	require.Equal(t, []string{`a=1.50`, `b\u0062="x\n"`, `c="plain"`, `a=[1, 2]`}, got)

	_, err = jsonl.OpenObject([]byte(`[1]`))
	require.EqualError(t, err, "'[' where an object is expected at byte 1")
	o, err = jsonl.OpenObject([]byte(`{} {}`))
	require.NoError(t, err)
	_, err = o.Next(&f)
	require.NoError(t, err)
	require.EqualError(t, o.End(), "text after the object at byte 4")
}
