package ggml_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/ggml"
	"github.com/holdfast-go/holdfast/internal/ggml/scripted"
)

func TestWords(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, scripted.Write(&b, scripted.Script{Segments: []scripted.Segment{{Tokens: []string{" \xe6\x97", "\xa5"}, End: 1e9}}}))
	words, err := ggml.Words(bytes.NewReader(b.Bytes()), int64(b.Len()))
	require.NoError(t, err)
	require.Len(t, words, 50257)
	require.Equal(t, []string{" ", " \xe6\x97", "\xa5", "~1002"}, []string{words[220], words[1000], words[1001], words[1002]})
	for _, n := range []int{0, 10, atVocabulary + 2, atFirstWord + 1} {
		_, err := ggml.Words(bytes.NewReader(b.Bytes()[:n]), int64(n))
		require.Error(t, err, n)
	}
}
