package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/holdfast-go/holdfast/manifest"
)

const manifestLines = 150_000

// corpus makes lines as speech corpora have them: several scripts, half of them escaped, known and unknown fields.
func corpus(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	latin := []string{"the", "station", "of", "something", "and", "weather", "minister", "yesterday", "will", "be"}
	other := []string{"größer", "straße", "übung", "привет", "станция", "погода", "東京", "天気", "今日", "déjà"}
	var b []byte
	for i := range n {
		var said []string
		for range 8 + random.IntN(10) {
			words := latin
			if random.IntN(3) == 0 {
				words = other
			}
			said = append(said, words[random.IntN(10)])
		}
		quoted := []byte(strconv.Quote(strings.Join(said, " ")))
		if i%2 == 0 {
			quoted = []byte(strconv.QuoteToASCII(strings.Join(said, " ")))
		}
		b = fmt.Appendf(b, `{"audio_filepath": "/data/corpus/part_%02d/utt_%08d.wav", "duration": %.3f, "text": %s, `+
			`"speaker": "spk_%d", "snr": %.17g, "source": {"set": "train", "id": %d}}`+"\n",
			i%32, i, 1+20*random.Float64(), quoted, i%977, 30*random.Float64(), i)
	}
	return b
}

func corpusFile(b *testing.B) (path string, size int64) {
	data := corpus(manifestLines)
	path = filepath.Join(b.TempDir(), "manifest.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		b.Fatal(err)
	}
	return path, int64(len(data))
}

// BenchmarkRead reads a manifest and drops it line by line; "json-list" keeps all of it, as NeMo does.
func BenchmarkRead(b *testing.B) {
	path, size := corpusFile(b)
	var variants []variant
	run := func(by string, read func() error) {
		variants = append(variants, variant{by, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		}})
	}
	run("holdfast", func() error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		for _, err := range manifest.Read(f, manifest.Options{}) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	run("holdfast-list", func() error {
		_, err := manifest.Load(b.Context(), path, manifest.Options{})
		return err
	})
	run("encoding-json", func() error { return eachLine(path, func(line []byte) error { return decodeStd(line) }) })
	compare(b, "", append(variants, pythons(path, size, "read", "json", "json-list", "orjson")...))
}

// decodeStd does with encoding/json what manifest.Read does, but for the order of the fields.
func decodeStd(line []byte) error {
	var known struct {
		AudioPath string  `json:"audio_filepath"`
		Offset    float64 `json:"offset"`
		Duration  float64 `json:"duration"`
		Text      string  `json:"text"`
		PredText  string  `json:"pred_text"`
		Lang      string  `json:"lang"`
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(line, &known); err != nil {
		return err
	}
	return json.Unmarshal(line, &all)
}

func eachLine(path string, f func([]byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if err := f(lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

func pythons(path string, size int64, verb string, libraries ...string) []variant {
	var variants []variant
	for _, library := range libraries {
		variants = append(variants, variant{"python-" + library, func(b *testing.B) {
			p := startPython(b, manifestPython(b), peers, verb+"-"+library, path)
			b.SetBytes(size)
			b.ResetTimer()
			if err := p.do(b.N); err != nil {
				b.Fatal(err)
			}
		}})
	}
	return variants
}

// BenchmarkWrite writes entries that were read and got a text. "holdfast" does it whole or not at all, and durably;
// "holdfast-plain" just writes, as the peers do.
func BenchmarkWrite(b *testing.B) {
	path, size := corpusFile(b)
	entries, err := manifest.Load(b.Context(), path, manifest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range entries {
		entries[i].PredText = entries[i].Text
	}
	var variants []variant
	run := func(by string, write func() error) {
		variants = append(variants, variant{by, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				if err := write(); err != nil {
					b.Fatal(err)
				}
			}
		}})
	}
	run("holdfast", func() error {
		return manifest.Save(b.Context(), path+".saved", slices.Values(entries), manifest.Options{})
	})
	run("holdfast-plain", func() error {
		return writeLines(path+".plain", func(i int, line []byte) ([]byte, bool, error) {
			if i == len(entries) {
				return nil, false, nil
			}
			return entries[i].AppendJSON(line), true, nil
		})
	})
	var maps []map[string]any
	if err := eachLine(path, func(line []byte) error {
		var m map[string]any
		err := json.Unmarshal(line, &m)
		m["pred_text"] = m["text"]
		maps = append(maps, m)
		return err
	}); err != nil {
		b.Fatal(err)
	}
	run("encoding-json", func() error {
		return writeLines(path+".std", func(i int, line []byte) ([]byte, bool, error) {
			if i == len(maps) {
				return nil, false, nil
			}
			text, err := json.Marshal(maps[i])
			return append(line, text...), true, err
		})
	})
	compare(b, "", append(variants, pythons(path, size, "write", "json", "orjson")...))
}

// writeLines writes what next appends, until it has no more.
func writeLines(path string, next func(i int, line []byte) ([]byte, bool, error)) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var buf bytes.Buffer
	for i := 0; ; i++ {
		line, more, err := next(i, buf.AvailableBuffer())
		if err != nil {
			return err
		}
		buf.Write(line)
		if !more || buf.Len() > 64<<10 {
			if _, err := buf.WriteTo(f); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		buf.WriteByte('\n')
	}
}
