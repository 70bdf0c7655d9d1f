package main

import (
	"bytes"
	"fmt"
	"strings"
)

const intro = `# Benchmarks

Each table is one run of a benchmark in which the library and its peers do the same work in turns on the same machine: only
the ratios carry over to another one. Everything is made by one command, in the folder ` + "`internal/bench`" + `:

    go run ./report

A table shows medians, and in brackets the peer beside ` + "`holdfast`" + ` in the same round, again as a median: (2) means that
` + "`holdfast`" + ` is twice as good, (0.5) that the peer is. The raw results are in [benchmarks.txt](benchmarks.txt), with the scatter by

    GOWORK=off go tool -modfile=../tools/go.mod benchstat -col /by ../../docs/benchmarks.txt
`

// page is docs/benchmarks.md.
func page(r results) []byte {
	var b bytes.Buffer
	b.WriteString(intro)
	for _, s := range sections() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", s.title, s.text)
		one, ok := r.of(s.name)
		if !ok {
			fmt.Fprintf(&b, "Not measured yet: `%s`.\n", s.command())
			continue
		}
		writeTable(&b, s, one)
		fmt.Fprintf(&b, "\n![%s](%s)\n\n%s\n\n    %s\n", s.title, s.chartName(), about(one, s), s.command())
	}
	return b.Bytes()
}

// about says where and when, as far as it is known.
func about(one sectionResult, s section) string {
	wine := ""
	if s.windows && one.get("goos") != "windows" {
		wine = "Wine"
	}
	python := "python"
	if !strings.Contains(strings.Join(one.lines, " "), python) {
		python = ""
	}
	var parts []string
	for _, p := range []struct{ before, value, after string }{
		{"", one.get("date"), ""}, {"commit ", one.get("commit"), ""}, {"", one.get("cpu"), ""}, {"", one.get("cores"), " cores"},
		{"", strings.TrimSpace(one.get("goos") + " " + one.get("kernel")), ""}, {"", wine, ""}, {"", one.get("filesystem"), ""},
		{"", one.get("go"), ""}, {"Python ", one.get(python), ""}, {"load ", one.get("load"), " before"}, {"rounds: ", one.get("rounds"), ""},
	} {
		if p.value != "" {
			parts = append(parts, p.before+p.value+p.after)
		}
	}
	return strings.Join(parts, ", ") + "."
}

func writeTable(b *bytes.Buffer, s section, one sectionResult) {
	groups, rows := one.table(s)
	units := append([]string{s.unit}, s.also...)
	b.WriteString("| |")
	for _, g := range groups {
		for _, u := range units {
			fmt.Fprintf(b, " %s |", strings.TrimSpace(strings.ReplaceAll(g, "=", " ")+" "+heading(u)))
		}
	}
	b.WriteString(" |\n|---|" + strings.Repeat("---|", len(groups)*len(units)) + "---|\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| %s |", strong(r.by))
		for _, g := range groups {
			for _, u := range units {
				fmt.Fprintf(b, " %s |", cell(s, rows[0], r, g, u))
			}
		}
		fmt.Fprintf(b, " %s |\n", r.text)
	}
}

func strong(by string) string {
	if strings.HasPrefix(by, "holdfast") {
		return "**" + by + "**"
	}
	return by
}

// heading is a unit as people read it.
func heading(unit string) string {
	return strings.NewReplacer("ns/op", "time", "%-failed", "gave up", "ms-late", "late by", "ms-p50", "median", "ms-p95", "95 %",
		"ms/recording", "a recording", "holds/save", "holds a save").Replace(unit)
}

// cell is a value, what it is beside ours, and how many gave up, after which a comparison would flatter.
func cell(s section, ours, r row, group, unit string) string {
	v, ok := r.median(group, unit)
	text := value(v, unit)
	if !ok {
		text = ""
	}
	if unit != s.unit {
		return text
	}
	if beside, ok := r.median(group, s.inCell); ok && beside > 0 {
		return strings.TrimPrefix(text+", "+value(beside, s.inCell)+" "+heading(s.inCell), ", ")
	}
	ratio := r.beside(ours, group, unit)
	if s.better == "more" {
		ratio = ours.beside(r, group, unit)
	}
	if r.by == ours.by || ratio == 0 || unit == "%-failed" {
		return text
	}
	switch {
	case ratio >= 100:
		return fmt.Sprintf("%s (%.0f)", text, ratio)
	case ratio >= 2:
		return fmt.Sprintf("%s (%.2g)", text, ratio)
	}
	return fmt.Sprintf("%s (%.2f)", text, ratio)
}

func value(v float64, unit string) string {
	switch {
	case unit == "ns/op" && v >= 1e6:
		return fmt.Sprintf("%.3g ms", v/1e6)
	case unit == "ns/op":
		return fmt.Sprintf("%.3g µs", v/1e3)
	case strings.HasPrefix(unit, "ms-"), unit == "ms/recording" && v >= 100:
		return fmt.Sprintf("%.0f ms", v)
	case unit == "ms/recording":
		return fmt.Sprintf("%.2g ms", v)
	case unit == "%-failed":
		return fmt.Sprintf("%.0f %%", v)
	case unit == "MB/s":
		return fmt.Sprintf("%.0f MB/s", v)
	}
	return fmt.Sprintf("%.3g", v)
}
