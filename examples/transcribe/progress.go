package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/asr"
)

// String says what is before a run: "500 done, 500 to do".
func (p plan) String() string {
	todo := p.all.Utterances - p.done.Utterances
	text := fmt.Sprintf("%d to do", todo)
	if p.done.Utterances > 0 {
		text = fmt.Sprintf("resuming: %d done, %d to do", p.done.Utterances, todo)
	}
	if left := p.all.Audio - p.done.Audio; left > 0 && todo > 0 {
		about := ""
		if !p.exact {
			about = "about "
		}
		text += fmt.Sprintf(" (%s%s of audio)", about, rounded(left))
	}
	return text
}

// progress is how far a run is.
type progress struct {
	asr.Progress
	plan    plan
	resumed time.Duration // audio that the journal had
	name    string        // of the recording that was begun last
}

// audio gives how much is behind the run, and how much there is in all: 0 where
// that is not known.
func (p progress) audio() (past, all time.Duration) {
	past, all = p.resumed+p.Audio, p.plan.all.Audio
	if all > 0 {
		past = min(past, all)
	}
	return past, all
}

func (p progress) settled() int { return p.Done + p.Resumed + p.Failed }

// lineWidth is that of a usual terminal, less one: in the last column some
// begin a new line.
const lineWidth = 79

// line is for a terminal.
func (p progress) line() string {
	var parts []string
	past, all := p.audio()
	if all > 0 {
		parts = append(parts, fmt.Sprintf("%3d%%  %s of %s", int(100*past.Seconds()/all.Seconds()), rounded(past), rounded(all)))
	} else {
		parts = append(parts, rounded(past).String()+" of audio")
	}
	if p.Audio > 0 && p.Elapsed > 0 {
		parts = append(parts, fmt.Sprintf("%.1fx", p.RTFx()))
	}
	if p.ETA > 0 {
		parts = append(parts, rounded(p.ETA).String()+" left")
	}
	if p.plan.all.Utterances > 1 {
		parts = append(parts, fmt.Sprintf("%d/%d", p.settled(), p.plan.all.Utterances))
	}
	return clip(strings.Join(append(parts, printable(p.name)), "  "), lineWidth)
}

// String is for a log.
func (p progress) String() string {
	past, all := p.audio()
	text := fmt.Sprintf("progress: %d of %d, %s", p.settled(), p.plan.all.Utterances, rounded(past))
	if all > 0 {
		text += " of " + rounded(all).String()
	}
	text += " of audio"
	if p.Audio > 0 && p.Elapsed > 0 {
		text += fmt.Sprintf(", %.1f times as fast as it is spoken", p.RTFx())
	}
	if p.ETA > 0 {
		text += fmt.Sprintf(", %s left", rounded(p.ETA))
	}
	return text
}

func clip(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	return string(runes[:width-1]) + "…"
}

func rounded(d time.Duration) time.Duration {
	if d < time.Minute {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}
