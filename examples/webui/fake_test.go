package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/tempdir"
)

// Variables that make the test binary play the program with an engine that
// follows a script, for tests that kill it and for those in a browser.
const (
	playVariable = "WEBUI_TEST_PLAY"
	paceVariable = "WEBUI_TEST_PACE" // milliseconds that the engine takes for a segment
)

func TestMain(m *testing.M) {
	if os.Getenv(playVariable) == "" {
		os.Exit(m.Run())
	}
	ms, _ := strconv.Atoi(os.Getenv(paceVariable))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, func(context.Context, options, *tempdir.Root, *slog.Logger, io.Writer) (asr.Transcriber, error) {
		return &fake{pace: time.Duration(ms) * time.Millisecond}, nil
	}))
}

// What a recording has the fake engine do is the number in its samples.
const (
	talk     = 1  // 12 segments
	hostile  = 2  // text that is mark-up, and breaks subtitles
	badAudio = 3  // fails, by its own fault
	silence  = 4  // nobody speaks
	long     = 5  // 10,000 segments
	endless  = 6  // until it is cancelled
	dies     = 7  // takes the engine with it
	panics   = 8  // a fault in the engine's adapter
	corrects = 9  // what it hears at the end is not what it told before
	lecture  = 10 // 60 segments
)

const payload = `</script><img src=x onerror="document.title='owned'"><b>&amp; --> 00:00:01.000`

type fake struct {
	pace     time.Duration // for a segment
	parallel int           // recordings at a time
	block    chan struct{} // where it is set, a recording waits for a value before it begins

	mu    sync.Mutex
	calls int
}

func (f *fake) Engine() asr.Engine {
	return asr.Engine{Name: "scripted", Model: "test", Fingerprint: "scripted/1", MaxParallel: f.parallel}
}

func (f *fake) Close() error { return nil }

func (f *fake) Transcribe(ctx context.Context, batch []asr.Utterance) iter.Seq2[asr.Transcript, error] {
	return func(yield func(asr.Transcript, error) bool) {
		f.mu.Lock()
		f.calls++
		f.mu.Unlock()
		for _, u := range batch {
			if f.block != nil {
				select {
				case <-f.block:
				case <-ctx.Done():
				}
			}
			if !yield(f.hear(ctx, u)) {
				return
			}
		}
	}
}

func (f *fake) hear(ctx context.Context, u asr.Utterance) (asr.Transcript, error) {
	b, err := os.ReadFile(u.Path)
	if err != nil {
		return asr.Transcript{}, err
	}
	number := int(binary.LittleEndian.Uint16(b[44:]))
	switch number {
	case badAudio:
		return asr.Transcript{}, &asr.UtteranceError{ID: u.ID, Err: fmt.Errorf("%w: %s is only noise", asr.ErrBadAudio, u.Source.AudioPath)}
	case dies:
		return asr.Transcript{}, errors.New("segmentation fault")
	case panics:
		panic("index out of range")
	case endless:
		if u.Heard != nil {
			u.Heard(asr.Segment{End: time.Second, Text: "It goes on and on."})
		}
		<-ctx.Done()
		return asr.Transcript{}, ctx.Err()
	}
	t := asr.Transcript{ID: u.ID, Language: "en", Elapsed: 1500 * time.Millisecond}
	lines := script(number)
	for i, text := range lines {
		n := len(lines)
		s := asr.Segment{Start: u.Duration * time.Duration(i) / time.Duration(n), End: u.Duration * time.Duration(i+1) / time.Duration(n), Text: text}
		s.Start, s.End = s.Start.Round(time.Millisecond), s.End.Round(time.Millisecond)
		if f.pace > 0 {
			select {
			case <-time.After(f.pace):
			case <-ctx.Done():
				return asr.Transcript{}, ctx.Err()
			}
		}
		preview := s
		if number == corrects && i == n-2 {
			preview.Text = "Misheard."
		}
		if u.Heard != nil {
			u.Heard(preview)
		}
		t.Segments = append(t.Segments, s)
		t.Text += " " + text
		t.Words = append(t.Words, asr.Word{Start: s.Start, End: s.End, Text: text, Confidence: 0.9})
	}
	return t, nil
}

func script(number int) (lines []string) {
	some := []string{
		"Good morning, everyone, and thank you for coming out in this weather.",
		"Today we will talk about the history of the railway in England.",
		"The first line that carried passengers opened in eighteen twenty-five,",
		"between Stockton and Darlington, and most people thought that it would not last.",
		"It was slow, it was loud,",
		"and the horses in the fields were said to be afraid of it.",
		"Five years later, trains ran from Liverpool to Manchester,",
		"faster than anybody had ever travelled on land.",
		"Within one lifetime, every town wanted a station,",
		"and time itself had to be made the same from coast to coast.",
		"Before that, Bristol was ten minutes behind London.",
		"Let us begin with the people who laid the rails.",
	}
	switch number {
	case silence:
		return nil
	case hostile:
		return []string{payload, "line one\n\n2\n00:00:00,000 --> 00:00:09,000\nline two", "<v Roger>voice"}
	case long:
		for i := range 10000 {
			lines = append(lines, fmt.Sprintf("Segment %d of a long day.", i+1))
		}
	case lecture:
		for i := range 60 {
			lines = append(lines, some[i%len(some)])
		}
	default:
		return some
	}
	return lines
}

// wav is a recording whose every sample is the number.
func wav(number, seconds int) []byte {
	samples := 16000 * seconds
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, uint32(36+2*samples))
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(2*samples))
	return append(b, bytes.Repeat(binary.LittleEndian.AppendUint16(nil, uint16(number)), samples)...)
}
