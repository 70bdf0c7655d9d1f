package manifest_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
)

const realisticLines = 150_000

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

// python runs a script with arguments and returns the seconds that it prints,
// the middle of three.
func python(b *testing.B, script string, args ...string) time.Duration {
	b.Helper()
	exe, err := exec.LookPath("python3")
	if err != nil {
		b.Skip("the peer needs python3")
	}
	var times []time.Duration
	for range 3 {
		out, err := exec.Command(exe, append([]string{"-c", script}, args...)...).Output()
		require.NoError(b, err)
		seconds, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		require.NoError(b, err)
		times = append(times, time.Duration(seconds*1e9))
	}
	slices.Sort(times)
	return times[1]
}

// BenchmarkRead reads with unknown fields kept in order; the peers are
// Python's json per line, once into a list as NeMo's read_manifest does it.
func BenchmarkRead(b *testing.B) {
	data := realistic(realisticLines)
	path := filepath.Join(b.TempDir(), "m.json")
	require.NoError(b, os.WriteFile(path, data, 0o600))
	list := python(b, `
import json, sys, time
start = time.perf_counter()
data = []
with open(sys.argv[1], encoding="utf-8") as f:
    for line in f:
        line = line.strip()
        if line:
            data.append(json.loads(line))
print(time.perf_counter() - start)`, path)
	each := python(b, `
import json, sys, time
start = time.perf_counter()
with open(sys.argv[1], encoding="utf-8") as f:
    for line in f:
        json.loads(line)
print(time.perf_counter() - start)`, path)

	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		f, err := os.Open(path)
		require.NoError(b, err)
		n := 0
		for e, err := range manifest.Read(f, manifest.Options{}) {
			if err != nil || e.Duration == 0 {
				b.Fatal(err)
			}
			n++
		}
		require.Equal(b, realisticLines, n)
		f.Close()
		took = append(took, time.Since(start))
	}
	reportRatio(b, list, took, "x-python-list")
	reportRatio(b, each, took, "x-python-line")
}

// BenchmarkWrite writes entries whose texts were changed; the peer is
// json.dumps per line.
func BenchmarkWrite(b *testing.B) {
	data := realistic(realisticLines)
	path := filepath.Join(b.TempDir(), "m.json")
	require.NoError(b, os.WriteFile(path, data, 0o600))
	peer := python(b, `
import json, sys, time
with open(sys.argv[1], encoding="utf-8") as f:
    data = [json.loads(line) for line in f]
start = time.perf_counter()
with open(sys.argv[1] + ".py", "w") as f:
    for e in data:
        e["pred_text"] = e["text"]
        f.write(json.dumps(e) + "\n")
print(time.perf_counter() - start)`, path)
	entries, err := manifest.Load(b.Context(), path, manifest.Options{})
	require.NoError(b, err)
	out, err := os.Create(path + ".go")
	require.NoError(b, err)
	defer out.Close()

	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		_, err := out.Seek(0, io.SeekStart)
		require.NoError(b, err)
		buf := make([]byte, 0, 128<<10)
		for _, e := range entries {
			e.PredText = e.Text
			buf = append(e.AppendJSON(buf), '\n')
			if len(buf) >= 64<<10 {
				_, err = out.Write(buf)
				require.NoError(b, err)
				buf = buf[:0]
			}
		}
		_, err = out.Write(buf)
		require.NoError(b, err)
		took = append(took, time.Since(start))
	}
	reportRatio(b, peer, took, "x-python")
}

func reportRatio(b *testing.B, peer time.Duration, took []time.Duration, unit string) {
	took = slices.Clone(took)
	slices.Sort(took)
	b.ReportMetric(float64(peer)/float64(took[len(took)/2]), unit)
}

// BenchmarkJournal appends records of 250 bytes. The peer, measured in turns
// with it, is a plain write and fdatasync by one producer.
func BenchmarkJournal(b *testing.B) {
	for _, producers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("producers=%d", producers), func(b *testing.B) {
			const turn = 100 // short turns, so that both meet the same noise
			var ratios []float64
			for b.Loop() {
				raw := rawAppends(b, turn)
				ours := journalAppends(b, producers, turn*producers)
				ratios = append(ratios, float64(producers)*raw.Seconds()/ours.Seconds())
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "x-raw")
		})
	}
}

func rawAppends(b *testing.B, n int) time.Duration {
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	require.NoError(b, err)
	defer f.Close()
	line := bytes.Repeat([]byte("x"), 250)
	start := time.Now()
	for range n {
		if _, err := f.Write(line); err != nil {
			b.Fatal(err)
		}
		if err := dataSync(f); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

func journalAppends(b *testing.B, producers, n int) time.Duration {
	j, err := manifest.OpenJournal(b.Context(), filepath.Join(b.TempDir(), "journal"), manifest.Options{})
	require.NoError(b, err)
	defer j.Close()
	e := manifest.Entry{AudioPath: "/data/corpus/part_01/utt_00000001.wav", Duration: 5 * time.Second,
		PredText: strings.Repeat("word ", 20)}
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range producers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := j.Append(b.Context(), key(int(i)), e); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
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
