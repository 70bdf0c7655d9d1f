package manifest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
)

func TestSplit(t *testing.T) {
	require.Empty(t, manifest.Split(nil, 3))
	var entries []manifest.Entry
	for i := range 1000 {
		e := manifest.Entry{AudioPath: fmt.Sprint(i), Duration: time.Duration(1+i*i%977) * time.Second}
		if i%10 == 0 {
			e.Duration = 0
		}
		entries = append(entries, e)
	}
	shards := manifest.Split(entries, 7)
	require.Len(t, shards, 7)
	seen := make(map[string]bool)
	var shortest, longest time.Duration
	for i, shard := range shards {
		var total time.Duration
		last := -1
		for _, e := range shard {
			var n int
			fmt.Sscan(e.AudioPath, &n)
			require.Greater(t, n, last, "a shard keeps the order")
			last = n
			require.False(t, seen[e.AudioPath])
			seen[e.AudioPath] = true
			total += e.Duration
		}
		if i == 0 {
			shortest = total
		}
		shortest, longest = min(shortest, total), max(longest, total)
	}
	require.Len(t, seen, len(entries))
	require.Less(t, float64(longest), 1.05*float64(shortest))

	require.Len(t, manifest.Split(entries[:3], 10), 3, "no shard is empty")
	require.Len(t, manifest.Split(entries, 0), 1)
	for _, shard := range manifest.Split([]manifest.Entry{{}, {Duration: time.Minute}, {}, {}}, 2) {
		require.Len(t, shard, 2, "what has no duration is of average length")
	}
	for _, shard := range manifest.Split(make([]manifest.Entry, 10), 5) {
		require.Len(t, shard, 2, "without durations by number")
	}
}

func TestShardNames(t *testing.T) {
	for name, want := range map[string]string{
		"manifest.json":               "manifest.json",
		"manifest__OP_0..2_CL_.json":  "manifest_0.json manifest_1.json manifest_2.json",
		"m_{008..011}.json":           "m_008.json m_009.json m_010.json m_011.json",
		"{a,b}/m{1..2}.json":          "a/m1.json a/m2.json b/m1.json b/m2.json",
		"Ann's (1..3) [2]/{x}/m.json": "Ann's (1..3) [2]/{x}/m.json",
		"{1..x}_OP_3.json":            "{1..x}_OP_3.json",
		"{open":                       "{open",
	} {
		got, err := manifest.ShardNames(name)
		require.NoError(t, err, name)
		if strings.Contains(name, " ") {
			require.Equal(t, []string{want}, got)
			continue
		}
		require.Equal(t, strings.Fields(want), got)
	}
	for _, name := range []string{"{3..1}", "{0..999999999}", "{1..1000}{1..1000}"} {
		_, err := manifest.ShardNames(name)
		require.ErrorContains(t, err, name)
	}
}
