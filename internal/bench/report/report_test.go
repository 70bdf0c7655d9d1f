package main

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const raw = `section: Replace
date: 2026-01-02 15:04 UTC
cores: 2
rounds: 3
BenchmarkReplace/by=hand-2 100 2000000 ns/op
BenchmarkReplace/by=holdfast-2 100 1000000 ns/op
BenchmarkReplace/by=holdfast-2 100 9000000 ns/op
BenchmarkReplace/by=hand-2 100 3000000 ns/op
BenchmarkReplace/by=hand-2 100 8000000 ns/op
BenchmarkReplace/by=holdfast-2 100 4000000 ns/op
BenchmarkReplace/by=moby-2 100 8000000 ns/op

section: Locks
date: 2026-01-02 15:04 UTC
BenchmarkLocks/hold=50ms/by=holdfast 100 0.0 %-failed 20 ms-late
BenchmarkLocks/hold=50ms/by=uv 100 0.0 %-failed 40 ms-late
BenchmarkLocks/hold=50ms/by=git 100 100.0 %-failed
BenchmarkLocks/hold=50ms/by=sqlite 100 5.0 %-failed 10 ms-late
`

func TestPageShowsMediansAndRatios(t *testing.T) {
	r := parse(raw)
	require.Equal(t, raw, strings.TrimSuffix(string(r.text()), "\n"))
	text := string(page(r))
	for _, line := range []string{
		"| **holdfast** | 4 ms | `retry.FS.WriteFile`: folder synced, every step retried under locks |",
		"| hand | 3 ms (2) | the same sequence written out: folder synced, no retries |", // 2, 1/3 and 2, round by round
		"| moby | 8 ms | moby/sys/atomicwriter: folder not synced |",                     // not in each round
		"| uv | 40 ms (2) | 10 times, 10 ms doubling (uv-fs) |",
		"| git | 100 % gave up | 0, 1, 10, 20, 40 ms (compat/mingw.c) |",
		"| sqlite | 10 ms, 5 % gave up | 10 times, 25 ms more each time (os_win.c) |",
		"2026-01-02 15:04 UTC, 2 cores, rounds: 3.",
		"Not measured yet: `go test -run='^$' -bench='^BenchmarkStage$' -benchtime=5x .`.",
	} {
		require.Contains(t, text, line+"\n")
	}
}

func TestNewResultsReplaceTheirSectionAlone(t *testing.T) {
	fresh := parse("section: Locks\ndate: today\nBenchmarkLocks/hold=1s/by=holdfast 100 0.0 %-failed 5 ms-late\n")
	all := parse(raw).replacedBy(fresh)
	require.Len(t, all, 2)
	locks, ok := all.of("Locks")
	require.True(t, ok)
	require.Equal(t, "today", locks.get("date"))
	require.Len(t, locks.lines, 1)
}

func TestChartsAreXML(t *testing.T) {
	for _, s := range sections() {
		d := xml.NewDecoder(strings.NewReader(string(chart(s, parse(raw)))))
		for {
			_, err := d.Token()
			if err == io.EOF {
				break
			}
			require.NoError(t, err, s.name)
		}
	}
}
