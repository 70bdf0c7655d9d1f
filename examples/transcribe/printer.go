package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
)

// printer speaks to the user: results on standard output, all else on standard
// error. On a terminal progress stays on one line; elsewhere it is a log. Its
// methods may be called by several goroutines.
type printer struct {
	o              options
	stdout, stderr io.Writer
	terminal       bool

	mu     sync.Mutex
	doing  string // what the last line of progress was about
	shown  bool   // a line of progress stands on the terminal
	logged time.Time
	began  time.Time // when the engine was first asked
	named  place     // what the log said last to be begun
	now    progress
	total  tally
}

// tally counts what became of the inputs, in all runs of the engine.
type tally struct {
	done, resumed, failed int
	audio                 time.Duration // transcribed
}

func newPrinter(o options, stdout, stderr io.Writer) *printer {
	p := &printer{o: o, stdout: stdout, stderr: stderr}
	if f, ok := stderr.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// show puts a line on the terminal that the next one replaces.
func (p *printer) show(line string) {
	p.wipe()
	if !p.o.quiet {
		fmt.Fprint(p.stderr, printable(line))
		p.shown = true
	}
}

// wipe takes a line of progress away.
func (p *printer) wipe() {
	if p.shown {
		fmt.Fprint(p.stderr, "\r\x1b[K")
		p.shown = false
	}
}

// say puts lines on standard error that stay.
func (p *printer) say(format string, args ...any) {
	p.wipe()
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		fmt.Fprintln(p.stderr, printable(line))
	}
}

func (p *printer) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wipe()
}

// aside is for a log beside the progress.
func (p *printer) aside() io.Writer { return aside{p} }

type aside struct{ *printer }

func (a aside) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wipe()
	return a.stderr.Write(b)
}

func (p *printer) fetching(f whispercpp.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.o.quiet || !p.terminal && f.Doing == p.doing {
		return // one line for each thing is enough in a log
	}
	p.doing = f.Doing
	line := f.Doing
	switch {
	case f.Total > 0 && p.terminal:
		line += fmt.Sprintf(", %.1f of %.1f MB", float64(f.Done)/1e6, float64(f.Total)/1e6)
	case f.Total > 0:
		line += fmt.Sprintf(" (%.1f MB)", float64(f.Total)/1e6)
	}
	if p.terminal {
		p.show(line)
	} else {
		p.say("%s", line)
	}
}

// plan says what is before the run, where that is more than one recording.
func (p *printer) plan(is plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = progress{plan: is}
	if p.o.quiet || is.all.Utterances < 2 && is.done.Utterances == 0 {
		return
	}
	p.say("%s", is)
}

func (p *printer) start(u asr.Utterance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.began.IsZero() {
		p.began = time.Now()
	}
	p.now.name = filepath.Base(u.Source.AudioPath)
	here := place{u.Source.AudioPath, u.Source.Offset}
	switch {
	case p.o.quiet:
	case p.terminal:
		p.show(p.now.line())
	case here != p.named: // and not another part of a long one
		p.named = here
		p.say("transcribing %s (%s of audio)", u.Source.AudioPath, rounded(u.Duration))
	}
}

func (p *printer) progress(is asr.Progress) {
	const often, seldom = 100 * time.Millisecond, 30 * time.Second
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Progress = is
	switch {
	case p.o.quiet:
	case p.terminal && time.Since(p.logged) >= often:
		p.logged = time.Now()
		p.show(p.now.line())
	case !p.terminal && p.logged.IsZero():
		p.logged = time.Now()
	case !p.terminal && time.Since(p.logged) >= seldom:
		p.logged = time.Now()
		p.say("%s", p.now)
	}
}

// heard shows what the engine hears just now.
func (p *printer) heard(u asr.Utterance, s asr.Segment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.name = filepath.Base(u.Source.AudioPath) + ": " + strings.TrimSpace(s.Text)
}

func (p *printer) restart(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.o.quiet {
		p.say("transcribe: the engine is started again: %v", err)
	}
}

// watching says that the program waits.
func (p *printer) watching(dir string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	const doing = "watching"
	switch {
	case p.o.quiet:
	case p.terminal:
		p.show(doing + " " + dir + "; Ctrl-C ends it")
	case p.doing != doing:
		p.say(doing+" %s", dir)
	}
	p.doing = doing
}

// held says that a new recording cannot be opened yet.
func (p *printer) held(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.o.quiet {
		p.say("transcribe: waiting: %v", err)
	}
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

// count takes notice of a transcript that is in the journal.
func (p *printer) count(t asr.Transcript) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.Resumed {
		p.total.resumed++
		p.now.resumed += t.Duration
	} else {
		p.total.done++
		p.total.audio += t.Duration
	}
}

// transcript shows a transcript.
func (p *printer) transcript(t asr.Transcript) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wipe()
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
	_, err := fmt.Fprintf(p.stdout, "%s\n  %s\n", printable(t.Source.AudioPath), printable(t.Text))
	return err
}

// printable keeps a recording's name, or what an engine says, from steering the
// terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}

func (p *printer) failed(err error) {
	p.mu.Lock()
	p.total.failed++
	p.mu.Unlock()
	p.problem(err)
}

func (p *printer) problem(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if isUtterance(err) {
		p.say("%v", err) // it begins with "transcribe" and the file
		return
	}
	p.say("transcribe: %v", err)
}

// stopping says that the end was asked for: it may take a while where somebody
// holds a file.
func (p *printer) stopping() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		p.show("stopping; Ctrl-C again ends at once")
	}
}

// end sums up and gives the exit code.
func (p *printer) end(interrupted bool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.total
	switch {
	case interrupted:
		p.say("transcribe: interrupted; what was done (%d) is safe. The same command goes on from there.", t.done+t.resumed)
		return exitFailed
	case p.o.quiet:
	default:
		p.summary()
	}
	if t.failed > 0 {
		return exitFailed
	}
	return exitOK
}

func (p *printer) summary() {
	t := p.total
	if t.resumed > 0 {
		p.say("resumed: %d of %d were in the journal already", t.resumed, t.done+t.resumed+t.failed)
	}
	text := fmt.Sprintf("%d transcribed, %d resumed, %d failed", t.done, t.resumed, t.failed)
	if t.audio > 0 && p.o.watch == "" {
		elapsed := time.Since(p.began)
		text += fmt.Sprintf("; %s of audio in %s, %.1f times as fast as it is spoken", rounded(t.audio), rounded(elapsed), t.audio.Seconds()/elapsed.Seconds())
	}
	p.say("%s; results in %s", text, p.o.out)
}
