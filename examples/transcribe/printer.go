package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
)

// printer speaks to the user: results on standard output, all else on standard
// error. On a terminal progress stays on one line.
type printer struct {
	o              options
	stdout, stderr io.Writer
	terminal       bool
	began          time.Time // when the engine was first asked

	doing                   string // what the last line of progress was about
	shown                   bool   // a line of progress stands on the terminal
	done, resumed, failures int
	audio                   time.Duration
}

func newPrinter(o options, stdout, stderr io.Writer) *printer {
	p := &printer{o: o, stdout: stdout, stderr: stderr}
	if f, ok := stderr.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// progress shows a line that the next one replaces, on a terminal.
func (p *printer) progress(line string) {
	switch {
	case p.o.quiet:
	case p.terminal:
		fmt.Fprintf(p.stderr, "\r\x1b[K%s", line)
		p.shown = true
	default:
		fmt.Fprintln(p.stderr, line)
	}
}

// clear takes a line of progress away.
func (p *printer) clear() {
	if p.shown {
		fmt.Fprint(p.stderr, "\r\x1b[K")
		p.shown = false
	}
}

func (p *printer) close() { p.clear() }

func (p *printer) fetching(f whispercpp.Progress) {
	if !p.terminal && f.Doing == p.doing {
		return // one line for each thing is enough in a log
	}
	p.doing = f.Doing
	line := "first run: " + f.Doing
	if f.Total > 0 && p.terminal {
		line += fmt.Sprintf(", %.1f of %.1f MB", float64(f.Done)/1e6, float64(f.Total)/1e6)
	} else if f.Total > 0 {
		line += fmt.Sprintf(" (%.1f MB)", float64(f.Total)/1e6)
	}
	p.progress(line)
}

func (p *printer) start(u asr.Utterance) {
	if p.began.IsZero() {
		p.began = time.Now()
	}
	p.progress(fmt.Sprintf("transcribing %s (%s of audio)", u.Source.AudioPath, rounded(u.Duration)))
}

// line is what -json prints.
type line struct {
	ID        string        `json:"id"`
	AudioPath string        `json:"audio_filepath"`
	Text      string        `json:"text"`
	Segments  []asr.Segment `json:"segments"`
	Words     []asr.Word    `json:"words,omitempty"`
	Language  string        `json:"language"`
	Elapsed   float64       `json:"elapsed"` // seconds
	Resumed   bool          `json:"resumed"`
}

func (p *printer) transcript(t asr.Transcript) error {
	p.clear()
	if t.Resumed {
		p.resumed++
	} else {
		p.done++
		p.audio += t.Duration
	}
	switch {
	case p.o.json:
		out := line{ID: t.ID, AudioPath: t.Source.AudioPath, Text: t.Text, Segments: t.Segments,
			Language: t.Language, Elapsed: t.Elapsed.Seconds(), Resumed: t.Resumed}
		if out.Segments == nil {
			out.Segments = []asr.Segment{}
		}
		if p.o.engine.Words {
			out.Words = t.Words
		}
		enc := json.NewEncoder(p.stdout)
		enc.SetEscapeHTML(false)
		return enc.Encode(out)
	case p.o.quiet:
		return nil
	}
	_, err := fmt.Fprintf(p.stdout, "%s\n  %s\n", t.Source.AudioPath, printable(t.Text))
	return err
}

// printable keeps an engine's output from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}

func (p *printer) failed(err error) {
	p.failures++
	p.problem(err)
}

func (p *printer) problem(err error) {
	p.clear()
	if _, ok := errors.AsType[*asr.UtteranceError](err); ok {
		fmt.Fprintln(p.stderr, err) // it begins with "transcribe" and the file
		return
	}
	fmt.Fprintf(p.stderr, "transcribe: %v\n", err)
}

func (p *printer) interrupted() {
	p.clear()
	fmt.Fprintf(p.stderr, "transcribe: interrupted; what was done (%d) is safe. The same command goes on from there.\n", p.done+p.resumed)
}

func (p *printer) summary() {
	if p.o.quiet {
		return
	}
	p.clear()
	if p.resumed > 0 {
		fmt.Fprintf(p.stderr, "resumed: %d of %d were in the journal already\n", p.resumed, p.done+p.resumed+p.failures)
	}
	fmt.Fprintf(p.stderr, "%d transcribed, %d resumed, %d failed", p.done, p.resumed, p.failures)
	if p.audio > 0 {
		elapsed := time.Since(p.began)
		fmt.Fprintf(p.stderr, "; %s of audio in %s, %.1f times as fast as it is spoken", rounded(p.audio), rounded(elapsed), p.audio.Seconds()/elapsed.Seconds())
	}
	fmt.Fprintf(p.stderr, "; results in %s\n", p.o.out)
}

func rounded(d time.Duration) time.Duration {
	if d < time.Minute {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}
