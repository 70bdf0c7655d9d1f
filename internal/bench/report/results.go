package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// results are lines of benchmarks with what was said about the machine at the time, section by section.
type results []sectionResult

// sectionResult is what one section gave.
type sectionResult struct {
	section string
	about   []string // "key: value", as benchstat reads it
	lines   []string // "BenchmarkReplace/by=holdfast-2 100 12345 ns/op"
}

// sample is one line taken apart.
type sample struct {
	group  string // "producers=8", or ""
	by     string
	values map[string]float64
}

const head = "section: "

func load(name string) (results, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return parse(string(b)), err
}

func parse(text string) results {
	var r results
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, head):
			r = append(r, sectionResult{section: strings.TrimPrefix(line, head)})
		case line == "" || len(r) == 0:
		case strings.HasPrefix(line, "Benchmark"):
			r[len(r)-1].lines = append(r[len(r)-1].lines, line)
		default:
			r[len(r)-1].about = append(r[len(r)-1].about, line)
		}
	}
	return r
}

func (r results) text() []byte {
	var b bytes.Buffer
	for _, one := range r {
		fmt.Fprintf(&b, "%s%s\n%s\n%s\n\n", head, one.section, strings.Join(one.about, "\n"), strings.Join(one.lines, "\n"))
	}
	return b.Bytes()
}

// replacedBy keeps what fresh has nothing new for.
func (r results) replacedBy(fresh results) results {
	var all results
	for _, s := range sections() {
		if one, ok := fresh.of(s.name); ok {
			all = append(all, one)
		} else if one, ok := r.of(s.name); ok {
			all = append(all, one)
		}
	}
	return all
}

func (r results) of(section string) (sectionResult, bool) {
	i := slices.IndexFunc(r, func(one sectionResult) bool { return one.section == section })
	if i < 0 || len(r[i].lines) == 0 {
		return sectionResult{}, false
	}
	return r[i], true
}

func (one sectionResult) get(key string) string {
	for _, line := range one.about {
		if value, ok := strings.CutPrefix(line, key+": "); ok {
			return value
		}
	}
	return ""
}

func (one sectionResult) samples() []sample {
	var all []sample
	for _, line := range one.lines {
		fields := strings.Fields(line)
		s := sample{values: map[string]float64{}}
		for _, part := range strings.Split(fields[0], "/")[1:] {
			if by, ok := strings.CutPrefix(part, "by="); ok {
				s.by = withoutProcs(by)
			} else {
				s.group = part
			}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				s.values[fields[i+1]] = v
			}
		}
		all = append(all, s)
	}
	return all
}

// withoutProcs cuts off the "-2" that go test adds on a machine with two cores.
func withoutProcs(name string) string {
	i := strings.LastIndex(name, "-")
	if i < 0 {
		return name
	}
	if _, err := strconv.Atoi(name[i+1:]); err != nil {
		return name
	}
	return name[:i]
}

// row is one peer's line in the table: its values by group and unit, round by round.
type row struct {
	by     string
	text   string
	values map[string]map[string][]float64
}

// table gives the groups in the order in which they were measured, and a row for each variant of the section.
func (one sectionResult) table(s section) (groups []string, rows []row) {
	for _, n := range s.rows {
		r := row{by: n.by, text: n.text, values: map[string]map[string][]float64{}}
		for _, sample := range one.samples() {
			if !slices.Contains(groups, sample.group) {
				groups = append(groups, sample.group)
			}
			if sample.by == n.by {
				r.add(sample)
			}
		}
		if len(r.values) > 0 {
			rows = append(rows, r)
		}
	}
	return groups, rows
}

func (r row) add(s sample) {
	if r.values[s.group] == nil {
		r.values[s.group] = map[string][]float64{}
	}
	for unit, v := range s.values {
		r.values[s.group][unit] = append(r.values[s.group][unit], v)
	}
}

// median is false where there is nothing.
func (r row) median(group, unit string) (float64, bool) {
	list := r.values[group][unit]
	if len(list) == 0 {
		return 0, false
	}
	return median(list), true
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// beside is the median of what r is as a multiple of another row in the same round: what is slow for a while is slow
// for both. It is 0 where there is nothing to compare.
func (r row) beside(other row, group, unit string) float64 {
	ours, theirs := r.values[group][unit], other.values[group][unit]
	if len(ours) == 0 || len(ours) != len(theirs) {
		return 0
	}
	ratios := make([]float64, len(ours))
	for i := range ours {
		if theirs[i] == 0 {
			return 0
		}
		ratios[i] = ours[i] / theirs[i]
	}
	return median(ratios)
}
