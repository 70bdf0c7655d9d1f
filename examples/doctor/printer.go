package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// printer shows findings as they come, or all of them as one JSON document.
type printer struct {
	stdout, stderr io.Writer
	json           bool
	colour         bool // standard output is a terminal
	progress       bool // standard error is one
	shown          bool // a line of progress stands there
	trial          bool // an engine is asked to transcribe
	all            []finding
}

func newPrinter(stdout, stderr io.Writer, asJSON, trial bool) *printer {
	return &printer{stdout: stdout, stderr: stderr, json: asJSON, trial: trial, all: []finding{},
		colour: isTerminal(stdout) && os.Getenv("NO_COLOR") == "", progress: isTerminal(stderr)}
}

func isTerminal(w io.Writer) bool {
	f, isFile := w.(*os.File)
	if !isFile {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// doing shows what takes a while.
func (p *printer) doing(what string) {
	if !p.progress {
		return
	}
	p.clear()
	if what != "" {
		fmt.Fprint(p.stderr, what)
		p.shown = true
	}
}

func (p *printer) clear() {
	if p.shown {
		fmt.Fprint(p.stderr, "\r\x1b[K")
		p.shown = false
	}
}

// Widths of the lines: a terminal's usual one, and that of the two columns
// before the text.
const (
	lineWidth  = 100
	labelWidth = 8
	checkWidth = 18
)

func (p *printer) finding(f finding) {
	p.clear()
	p.all = append(p.all, f)
	if p.json {
		return
	}
	indent := strings.Repeat(" ", labelWidth+checkWidth+1)
	text := wrap(printable(f.Text), lineWidth-len(indent), "\n"+indent)
	fmt.Fprintf(p.stdout, "%s %-*s%s\n", p.label(f.Status), checkWidth, f.Check, text)
	if f.Do != "" {
		fmt.Fprintf(p.stdout, "%s→ %s\n", indent, wrap(printable(f.Do), lineWidth-len(indent)-2, "\n"+indent+"  "))
	}
	if f.Command != "" {
		fmt.Fprintf(p.stdout, "\n  %s\n\n", printable(f.Command)) // on a line of its own, whatever its length, to be copied
	}
}

func (p *printer) label(s status) string {
	colours := map[status]string{ok: "32", note: "36", warning: "33", problem: "31;1"}
	text := fmt.Sprintf("%-*s", labelWidth, s)
	if p.colour {
		return "\x1b[" + colours[s] + "m" + text + "\x1b[0m"
	}
	return text
}

// report is the JSON document.
type report struct {
	Version  int       `json:"version"`
	Status   status    `json:"status"` // the worst of all
	Findings []finding `json:"findings"`
}

// end sums up. sick tells whether a job would fail.
func (p *printer) end() (sick bool, err error) {
	p.clear()
	count := map[status]int{}
	for _, f := range p.all {
		count[f.Status]++
	}
	worst := ok
	for _, s := range []status{warning, problem} {
		if count[s] > 0 {
			worst = s
		}
	}
	if p.json {
		enc := json.NewEncoder(p.stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return worst == problem, enc.Encode(report{Version: 1, Status: worst, Findings: p.all})
	}
	switch worst {
	case problem:
		_, err = fmt.Fprintf(p.stdout, "\nA job would fail here: %s, %s.\n", several(count[problem], "problem"), several(count[warning], "warning"))
	case warning:
		_, err = fmt.Fprintf(p.stdout, "\nJobs run here; %s.\n", several(count[warning], "warning"))
	case ok:
		text := "All is well."
		switch {
		case !p.trial:
			text = "All is well, as far as can be seen; doctor -try has the engine transcribe."
		case !p.tried():
			text = "All is well, as far as can be seen; no engine was there to be tried."
		}
		_, err = fmt.Fprintf(p.stdout, "\n%s\n", text)
	}
	return worst == problem, err
}

// tried tells whether an engine has transcribed something.
func (p *printer) tried() bool {
	return slices.ContainsFunc(p.all, func(f finding) bool { return strings.HasPrefix(f.Check, trialCheck) && f.Status == ok })
}

func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// wrap breaks a text between words. A word that is longer than a line, such as
// a path, stays whole.
func wrap(text string, width int, newline string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case i == 0:
		case column+1+n > width:
			b.WriteString(newline)
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// printable keeps a program's output from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}
