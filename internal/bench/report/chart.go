package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strings"
)

// Measures of a chart, in pixels.
const (
	chartWidth = 760
	labelWidth = 150
	valueWidth = 190
	barHeight  = 18
	barStep    = 24
	groupGap   = 34
)

// chart draws horizontal bars, grouped as the table is. Where the values of a section differ by more than thirty times
// the bars are as long as the logarithm, and the chart says so.
func chart(s section, r results) []byte {
	var b bytes.Buffer
	one, _ := r.of(s.name)
	groups, rows := one.table(s)
	lo, hi := extremes(s, groups, rows)
	logarithmic := lo > 0 && hi/lo > 30
	height := 44 + len(groups)*(groupGap+len(rows)*barStep)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="13">`+"\n",
		chartWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", chartWidth, height)
	subtitle := s.better + " is better"
	if logarithmic {
		subtitle += "; logarithmic"
	}
	fmt.Fprintf(&b, `<text x="10" y="20" font-size="15" font-weight="bold">%s</text><text x="10" y="38" fill="#666">%s, %s</text>`+"\n",
		html.EscapeString(s.title), html.EscapeString(heading(s.unit)), subtitle)
	y := 44
	for _, g := range groups {
		y += groupGap
		fmt.Fprintf(&b, `<text x="10" y="%d" fill="#666">%s</text>`+"\n", y-12, html.EscapeString(strings.ReplaceAll(g, "=", " ")))
		for _, row := range rows {
			drawBar(&b, s, row, g, y, func(v float64) float64 {
				if !logarithmic {
					return v / hi
				}
				return (math.Log(max(v, lo)/lo) + 0.3) / (math.Log(hi/lo) + 0.3)
			})
			y += barStep
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func drawBar(b *bytes.Buffer, s section, r row, group string, y int, length func(float64) float64) {
	colour := "#9aa5b1"
	if strings.HasPrefix(r.by, "holdfast") {
		colour = "#1f6feb"
	}
	text, width := "", 0.0
	if v, ok := r.median(group, s.unit); ok {
		text = value(v, s.unit)
		width = max(1, length(v)*(chartWidth-labelWidth-valueWidth))
	}
	if beside, ok := r.median(group, s.inCell); ok && beside > 0 {
		text = strings.TrimPrefix(text+", "+value(beside, s.inCell)+" "+heading(s.inCell), ", ")
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, labelWidth-8, y+14, html.EscapeString(r.by))
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.0f" height="%d" fill="%s"/>`, labelWidth, y, width, barHeight, colour)
	fmt.Fprintf(b, `<text x="%.0f" y="%d">%s</text>`+"\n", labelWidth+width+6, y+14, html.EscapeString(text))
}

func extremes(s section, groups []string, rows []row) (lo, hi float64) {
	lo = math.Inf(1)
	for _, g := range groups {
		for _, r := range rows {
			if v, ok := r.median(g, s.unit); ok {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	if hi == 0 {
		return 0, 1
	}
	return lo, hi
}
