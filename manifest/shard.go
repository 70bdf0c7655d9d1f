package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Split deals entries out into at most n shards of about equal total
// duration, none of them empty. Within a shard they keep their order. An
// entry without a duration counts as one of average length.
func Split(entries []Entry, n int) [][]Entry {
	n = max(1, min(n, len(entries)))
	if len(entries) == 0 {
		return nil
	}
	average := averageDuration(entries)
	weight := func(i int) time.Duration {
		if d := entries[i].Duration; d > 0 {
			return d
		}
		return average
	}
	longestFirst := make([]int, len(entries))
	for i := range longestFirst {
		longestFirst[i] = i
	}
	slices.SortStableFunc(longestFirst, func(a, b int) int { return cmp.Compare(weight(b), weight(a)) })

	// Each goes to the shard that has least: never more than 4/3 of the
	// best possible (Graham 1969).
	loads := make([]shardLoad, n)
	for i := range loads {
		loads[i].shard = i
	}
	shardOf := make([]int, len(entries))
	for _, i := range longestFirst {
		shardOf[i] = loads[0].shard
		loads[0].total += weight(i)
		loads[0].count++
		sink(loads)
	}
	shards := make([][]Entry, n)
	for i, e := range entries {
		shards[shardOf[i]] = append(shards[shardOf[i]], e)
	}
	return shards
}

func averageDuration(entries []Entry) time.Duration {
	var total float64
	var known int
	for _, e := range entries {
		if e.Duration > 0 {
			total += float64(e.Duration)
			known++
		}
	}
	if known == 0 {
		return time.Second
	}
	return max(1, time.Duration(total/float64(known)))
}

type shardLoad struct {
	total        time.Duration
	count, shard int
}

func (l shardLoad) less(other shardLoad) bool {
	return cmp.Or(cmp.Compare(l.total, other.total), cmp.Compare(l.count, other.count),
		cmp.Compare(l.shard, other.shard)) < 0
}

// sink restores the heap, whose first shard has least, after that one grew.
func sink(heap []shardLoad) {
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(heap); child++ {
			if heap[child].less(heap[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}

// mostShards keeps a mistyped range from filling the memory.
const mostShards = 100_000

// ShardNames gives the file names that a sharded name stands for, in order:
// "manifest__OP_0..7_CL_.json" is manifest_0.json to manifest_7.json. As in
// NeMo, _OP_ and _CL_ stand for braces, "{a,b}" lists names, and zeros in
// front are kept ("{000..127}"). A name without such a part stands for
// itself.
func ShardNames(name string) ([]string, error) {
	open, inner, rest, ok := cutBraces(name)
	if !ok {
		return []string{name}, nil
	}
	choices, err := expand(inner)
	if err != nil {
		return nil, fmt.Errorf("sharded name %q: %w", name, err)
	}
	if choices == nil { // braces that mean nothing are part of the name
		choices = []string{name[len(open) : len(name)-len(rest)]}
	}
	tails, err := ShardNames(rest)
	if err != nil {
		return nil, err
	}
	if len(choices)*len(tails) > mostShards {
		return nil, fmt.Errorf("sharded name %q: more than %d files", name, mostShards)
	}
	names := make([]string, 0, len(choices)*len(tails))
	for _, choice := range choices {
		for _, tail := range tails {
			names = append(names, open+choice+tail)
		}
	}
	return names, nil
}

// cutBraces splits a name at its first pair of braces.
func cutBraces(name string) (before, inner, after string, ok bool) {
	start, width := firstOf(name, "_OP_", "{")
	if start < 0 {
		return name, "", "", false
	}
	end, endWidth := firstOf(name[start+width:], "_CL_", "}")
	if end < 0 {
		return name, "", "", false
	}
	end += start + width
	return name[:start], name[start+width : end], name[end+endWidth:], true
}

func firstOf(s string, words ...string) (index, width int) {
	index = -1
	for _, w := range words {
		if i := strings.Index(s, w); i >= 0 && (index < 0 || i < index) {
			index, width = i, len(w)
		}
	}
	return index, width
}

// expand gives the choices of one pair of braces, nil if it has none.
func expand(inner string) ([]string, error) {
	from, to, ok := strings.Cut(inner, "..")
	if !ok {
		if strings.Contains(inner, ",") {
			return strings.Split(inner, ","), nil
		}
		return nil, nil
	}
	first, err1 := strconv.ParseUint(from, 10, 31)
	last, err2 := strconv.ParseUint(to, 10, 31)
	if err1 != nil || err2 != nil {
		return nil, nil
	}
	if last < first || last-first >= mostShards {
		return nil, fmt.Errorf("the range %s must go up, to at most %d files", inner, mostShards)
	}
	width := 0
	if len(from) > 1 && from[0] == '0' || len(to) > 1 && to[0] == '0' {
		width = max(len(from), len(to))
	}
	names := make([]string, 0, last-first+1)
	for i := first; i <= last; i++ {
		names = append(names, fmt.Sprintf("%0*d", width, i))
	}
	return names, nil
}
