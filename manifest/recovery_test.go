package manifest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// journal makes the bytes of a journal of n records, and where each begins.
func journal(n int) (data []byte, starts []int) {
	for i := range n {
		starts = append(starts, len(data))
		e := Entry{AudioPath: fmt.Sprintf("dir/%d.wav", i), PredText: strings.Repeat("grün \"x\" ", i%4)}
		data = appendRecord(data, appendBody(nil, fmt.Sprintf("key %d", i), e), uint64(i+1))
	}
	return data, append(starts, len(data))
}

func recoverBytes(t testing.TB, data []byte) recovery {
	t.Helper()
	rec, err := recoverJournal(bytes.NewReader(data), defaultMaxLine)
	require.NoError(t, err, "%q", data)
	return rec
}

func numbers(rec recovery) []int {
	got := []int{}
	for _, r := range rec.records {
		got = append(got, int(r.n))
	}
	return got
}

func TestRecordFormat(t *testing.T) {
	e := Entry{AudioPath: "a.wav", Duration: 1200e6, PredText: "grün"}
	require.NoError(t, e.Extra.Set("_n", 3))
	line := appendRecord(nil, newItem("k\"1", e).body, 17)
	// python3 -c 'import zlib; print("%08x" % zlib.crc32(line[:line.rindex(b", \"_crc\"")]))'
	require.Equal(t, `{"audio_filepath": "a.wav", "duration": 1.2, "pred_text": "gr\u00fcn", `+
		`"_key": "k\"1", "_n": 17, "_crc": "3b651b7f"}`+"\n", string(line))
	r, err := parseRecord(bytes.TrimSpace(line))
	require.NoError(t, err)
	require.Equal(t, uint64(17), r.n)
	require.Equal(t, `k"1`, r.key)
	require.Equal(t, `{"audio_filepath": "a.wav", "duration": 1.2, "pred_text": "gr\u00fcn"}`, string(r.entry.AppendJSON(nil)))

	line = appendRecord(nil, appendBody(nil, "", Entry{}), 1)
	require.True(t, strings.HasPrefix(string(line), `{"_key": "", "_n": 1, "_crc": "`), "%s", line)
	r, err = parseRecord(bytes.TrimSpace(line))
	require.NoError(t, err)
	require.Equal(t, "{}", string(r.entry.AppendJSON(nil)))
}

func TestAWholeJournal(t *testing.T) {
	data, _ := journal(5)
	for _, data := range [][]byte{data, bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n\n")), append([]byte("\xef\xbb\xbf"), data...)} {
		rec := recoverBytes(t, data)
		require.Equal(t, []int{1, 2, 3, 4, 5}, numbers(rec))
		require.Empty(t, rec.damaged)
		require.Zero(t, rec.torn)
		require.EqualValues(t, len(data), rec.end)
		require.EqualValues(t, 6, rec.next)
		require.Equal(t, "key 3", rec.records[3].key)
		require.Equal(t, "dir/3.wav", rec.records[3].entry.AudioPath)
	}
}

func TestEveryTruncation(t *testing.T) {
	data, starts := journal(6)
	for size := range len(data) + 1 {
		for _, zeros := range []int{0, 1, 600} {
			cut := append(slices.Clone(data[:size]), make([]byte, zeros)...)
			whole, _ := slices.BinarySearch(starts, size+1)
			whole-- // records with their newline
			unended := size+1 == starts[min(whole+1, len(starts)-1)]
			if unended {
				whole++
			}
			if whole == 0 && len(cut) > 0 {
				_, err := recoverJournal(bytes.NewReader(cut), defaultMaxLine)
				require.ErrorIs(t, err, errNoJournal, "cut at %d: no journal begins so", size)
				continue
			}
			rec := recoverBytes(t, cut)
			require.Len(t, rec.records, whole, "cut at %d", size)
			require.Empty(t, rec.damaged)
			require.Equal(t, unended, rec.unended)
			end := starts[whole]
			if unended {
				end--
			}
			require.EqualValues(t, end, rec.end)
			require.EqualValues(t, len(cut)-end, rec.torn)
			require.EqualValues(t, whole+1, rec.next)
		}
	}
}

func TestEveryFlippedBit(t *testing.T) {
	for _, n := range []int{1, 5} {
		data, starts := journal(n)
		for at := range data {
			hit, found := slices.BinarySearch(starts, at)
			if !found {
				hit--
			}
			for bit := range 8 {
				damaged := slices.Clone(data)
				damaged[at] ^= 1 << bit
				rec := recoverBytes(t, damaged)
				want := []int{}
				for i := range n {
					if i != hit || at == starts[i+1]-1 { // a newline hurts no record
						want = append(want, i+1)
					}
				}
				require.Equal(t, want, numbers(rec), "byte %d of %q", at, damaged)
				require.Positive(t, len(rec.damaged)+int(rec.torn), "byte %d bit %d is not reported", at, bit)
				require.Greater(t, rec.next, uint64(n), "a damaged record keeps its number")
				appendable(t, damaged, rec)
			}
		}
	}
}

// appendable checks that a journal goes on well after its recovery.
func appendable(t testing.TB, data []byte, before recovery) {
	t.Helper()
	data = slices.Clone(data[:before.end])
	if before.unended {
		data = append(data, '\n')
	}
	data = appendRecord(data, appendBody(nil, "added", Entry{Text: "added"}), before.next)
	after := recoverBytes(t, data)
	require.Len(t, after.records, len(before.records)+1)
	for i, r := range before.records {
		require.Equal(t, r.n, after.records[i].n)
		require.Equal(t, r.key, after.records[i].key)
		require.Equal(t, r.entry.AppendJSON(nil), after.records[i].entry.AppendJSON(nil))
	}
	require.Equal(t, "added", after.records[len(before.records)].entry.Text)
	if !before.unended { // what was salvaged from a torn line is a damaged line then
		require.Len(t, after.damaged, len(before.damaged), "%v", after.damaged)
	}
	require.Zero(t, after.torn)
	require.EqualValues(t, len(data), after.end)
}

func TestLinesLostSwappedAndRepeated(t *testing.T) {
	data, starts := journal(6)
	line := func(i int) []byte { return data[starts[i]:starts[i+1]] }
	for name, c := range map[string]struct {
		lines []int
		want  []int
		says  string
	}{
		"lost":     {[]int{0, 1, 4, 5}, []int{1, 2, 5, 6}, "before record 5 the records from 3 on are missing"},
		"first":    {[]int{1, 2}, []int{2, 3}, "before record 2 the records from 1 on are missing"},
		"swapped":  {[]int{0, 2, 1, 3}, []int{1, 3, 2, 4}, "record 2 stands behind record 3"},
		"repeated": {[]int{0, 1, 1, 2}, []int{1, 2, 2, 3}, "record 2 stands behind record 2"},
	} {
		var damaged []byte
		for _, i := range c.lines {
			damaged = append(damaged, line(i)...)
		}
		rec := recoverBytes(t, damaged)
		require.Equal(t, c.want, numbers(rec), name)
		require.NotEmpty(t, rec.damaged, name)
		all := fmt.Sprint(rec.damaged)
		require.Contains(t, all, c.says, name)
		require.EqualValues(t, slices.Max(c.want)+1, rec.next)
	}
}

func TestRandomDamageLosesOnlyWhatItHits(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	data, starts := journal(40)
	for range 3000 {
		damaged := slices.Clone(data)
		from := random.IntN(len(data))
		to := min(len(data), from+1+random.IntN(512))
		switch random.IntN(3) {
		case 0: // a lost sector
			clear(damaged[from:to])
		case 1: // a foreign sector
			for i := from; i < to; i++ {
				damaged[i] = byte(random.Uint32())
			}
		case 2: // a cut
			damaged = slices.Delete(damaged, from, to)
		}
		if bytes.Equal(damaged, data) {
			continue
		}
		rec := recoverBytes(t, damaged)
		got := numbers(rec)
		for i := range 40 {
			untouched := starts[i+1] <= from || starts[i] >= to
			if untouched {
				require.Contains(t, got, i+1, "seed %d: %d-%d", seed, from, to)
			}
		}
		// A cut can leave what looks like a line that was edited.
		got = slices.DeleteFunc(got, func(n int) bool { return n == 0 })
		require.Len(t, rec.records, len(got)+rec.unchecked)
		for i := 1; i < len(got); i++ {
			require.Less(t, got[i-1], got[i], "nothing is invented")
		}
		whole := len(got) == 40
		atEnd := to == len(data) // a clean cut of the last records cannot be seen
		require.True(t, whole || atEnd || rec.unchecked > 0 || len(rec.damaged) > 0, "seed %d: %d-%d is not reported", seed, from, to)
		appendable(t, damaged, rec)
	}
}

func TestEditedLinesAreKept(t *testing.T) {
	data, starts := journal(3)
	hand := "{\"audio_filepath\": \"x.wav\", \"pred_text\": \"by hand\", \"_key\": \"key 1\"}\n{\"audio_filepath\": \"y.wav\"}"
	for _, text := range []string{
		string(data[:starts[1]]) + hand + "\n" + string(data[starts[2]:]),
		string(data) + hand,
	} {
		rec := recoverBytes(t, []byte(text))
		require.Equal(t, 2, rec.unchecked)
		require.Empty(t, rec.damaged)
		require.Zero(t, rec.torn, "the last line misses its newline only")
		i := slices.IndexFunc(rec.records, func(r record) bool { return r.entry.PredText == "by hand" })
		require.Equal(t, "key 1", rec.records[i].key)
		appendable(t, []byte(text), rec)
	}
}

func TestForeignFilesAreRefused(t *testing.T) {
	for _, text := range []string{
		"{\"audio_filepath\": \"a.wav\"}\n{\"audio_filepath\": \"b.wav\"}\n", // a manifest
		"{\"setting\": 1}", "{\n  \"setting\": 1\n}", "RIFF\x00\x00\x00\x00WAVE", "a line\nanother", "[1,2]\n",
		`{"duration": "12:30"}`, `{"audio_filep`, "\x00\x00\x00", "\n", strings.Repeat("longer than a line may be", 5),
	} {
		_, err := recoverJournal(strings.NewReader(text), 100)
		require.ErrorIs(t, err, errNoJournal, "%q", text)
	}
	require.Empty(t, recoverBytes(t, nil).records)
}

func FuzzRecover(f *testing.F) {
	data, starts := journal(4)
	f.Add(data)
	f.Add(data[:len(data)-1])
	f.Add(data[:starts[3]+20])
	f.Add(append(slices.Clone(data), make([]byte, 40)...))
	f.Add(bytes.Replace(data, []byte("\n"), []byte("\v"), 1))
	f.Add(bytes.Replace(data, []byte("_crc"), []byte("_csc"), 1))
	f.Add(append([]byte("{\"_key\": \"\"}\r\n"), data...))
	f.Add([]byte(`{"_key": "a", "_key": "b", "_n": 1, "_crc": "00000000"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := recoverJournal(bytes.NewReader(data), 1<<16)
		require.EqualValues(t, len(data), rec.end+rec.torn)
		if err == nil {
			appendable(t, data, rec)
		}
	})
}
