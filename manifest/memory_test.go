package manifest_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
)

// realistic makes lines as corpora have them: several scripts, half of them
// escaped, known and unknown fields.
func realistic(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	words := map[bool][]string{
		true:  {"the", "station", "of", "something", "and", "weather", "minister", "yesterday", "will", "be"},
		false: {"größer", "straße", "übung", "привет", "станция", "погода", "東京", "天気", "今日", "été", "déjà"},
	}
	var b []byte
	for i := range n {
		var said []string
		for range 8 + random.IntN(10) {
			said = append(said, words[random.IntN(3) > 0][random.IntN(10)])
		}
		text := strings.Join(said, " ")
		quoted, _ := json.Marshal(text)
		if i%2 == 0 {
			quoted = []byte(strconv.QuoteToASCII(text))
		}
		b = fmt.Appendf(b, `{"audio_filepath": "/data/corpus/part_%02d/utt_%08d.wav", "duration": %.3f, "text": %s, `+
			`"speaker": "spk_%d", "snr": %.17g, "source": {"set": "train", "id": %d}}`+"\n",
			i%32, i, 1+20*random.Float64(), quoted, i%977, 30*random.Float64(), i)
	}
	return b
}

// repeated gives a text again and again.
type repeated struct {
	text []byte
	at   int
	left int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.text[r.at:])
	if r.at += n; r.at == len(r.text) {
		r.at = 0
		r.left--
	}
	return n, nil
}

func TestReadNeedsNoMoreMemoryForMore(t *testing.T) {
	text := realistic(1000)
	var most [2]uint64
	for i, times := range []int{10, 200} {
		lines := 0
		for _, err := range manifest.Read(&repeated{text: text, left: times}, manifest.Options{}) {
			require.NoError(t, err)
			if lines++; lines%(100*times) == 0 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most[i] = max(most[i], m.HeapAlloc)
			}
		}
		require.Equal(t, 1000*times, lines)
	}
	require.Less(t, cmp.Compare(most[1], most[0]+1<<20), 1, "%d bytes, then %d", most[0], most[1])
}
