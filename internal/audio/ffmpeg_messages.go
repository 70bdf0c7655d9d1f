package audio

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/proc"
)

// messages collects what ffmpeg writes on stderr, where it describes its input
// (libavformat/dump.c). Each line begins with its level; a file's own texts are
// further to the right and cannot be taken for a description.
type messages struct {
	input       string
	media       Media
	inOutput    bool // the description of the output has begun
	first, last string
	cut         string // says that the file ends too early
	unsized     bool   // a WAV file that was written to a pipe
}

var (
	inputLine    = regexp.MustCompile(`^\[info\] Input #0, (.+), from '`)
	durationLine = regexp.MustCompile(`^\[info\]   Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?),`)
	streamLine   = regexp.MustCompile(`^\[info\]   (?:  )?Stream #0:\d+\S*: (Audio|Video): (.*)`) // two more spaces before ffmpeg 5
	audioStream  = regexp.MustCompile(`^([^ ,]+).*?, (\d+) Hz, ([^,]+)`)
	errorLine    = regexp.MustCompile(`^(?:\[[^\[\]]+ @ [^\]]+\] )*\[(?:error|fatal|panic)\] (.*)`)
)

// add takes one line.
func (m *messages) add(line []byte) {
	s := string(line)
	if found := inputLine.FindStringSubmatch(s); found != nil && m.media.Container == "" {
		m.media.Container = found[1]
	}
	if strings.HasPrefix(s, "[info] Output #0") {
		m.inOutput = true
	}
	if !m.inOutput {
		m.describe(s)
	}
	if found := errorLine.FindStringSubmatch(s); found != nil {
		m.last = strings.ReplaceAll(found[1], m.input+": ", "")
		if m.first == "" {
			m.first = m.last
		}
	}
	switch {
	case strings.Contains(s, "] [error] ") && (strings.Contains(s, "File ended prematurely") || strings.Contains(s, "partial file")):
		m.cut = m.last
	case strings.Contains(s, "] [warning] Ignoring maximum wav data size"):
		m.unsized = true
	case strings.Contains(s, "] [warning] Packet corrupt") && m.sizesItsPackets():
		m.cut = "it ends inside a packet"
	}
}

// sizesItsPackets: a packet that is not whole means that the file is not, which
// cannot be said of streams.
func (m *messages) sizesItsPackets() bool {
	for _, name := range []string{"mov", "caf", "w64", "wav"} {
		if strings.HasPrefix(m.media.Container, name) {
			return true
		}
	}
	return false
}

func (m *messages) describe(s string) {
	if found := durationLine.FindStringSubmatch(s); found != nil {
		hours, _ := strconv.ParseInt(found[1], 10, 16) // what is more becomes the most
		minutes, _ := strconv.Atoi(found[2])
		seconds, _ := strconv.ParseFloat(found[3], 64)
		m.media.Duration = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute + time.Duration(seconds*1e9)
	}
	if strings.Contains(s, "] [warning] Estimating duration from bitrate") {
		m.media.Estimated = true
	}
	found := streamLine.FindStringSubmatch(s)
	if found == nil || strings.Contains(s, " (attached pic)") { // a cover
		return
	}
	m.media.streams++
	if found[1] == "Audio" && m.media.Codec == "" {
		if a := audioStream.FindStringSubmatch(found[2]); a != nil {
			m.media.Codec = a[1]
			m.media.SampleRate, _ = strconv.Atoi(a[2])
			m.media.Channels = channels(a[3])
		}
	}
}

// channels counts those of a layout (libavutil/channel_layout.c): "mono",
// "5.1(side)", "3 channels".
func channels(layout string) int {
	layout, _, _ = strings.Cut(layout, "(")
	switch layout {
	case "mono":
		return 1
	case "stereo", "downmix":
		return 2
	case "quad":
		return 4
	case "hexagonal":
		return 6
	case "octagonal", "cube":
		return 8
	case "hexadecagonal":
		return 16
	}
	if n, ok := strings.CutSuffix(layout, " channels"); ok {
		count, _ := strconv.Atoi(n)
		return count
	}
	sum := 0
	for part := range strings.SplitSeq(layout, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return 0
		}
		sum += n
	}
	return sum
}

// complete compares what was decoded with what the file has claimed.
func (m *messages) complete(got time.Duration) error {
	claimed := m.media.Duration
	switch {
	case m.unsized:
		return bad("the header does not say how long the recording is (it was written to a pipe, or the recorder crashed), " +
			"so nobody can tell whether it is complete" + whatIsThere)
	case m.cut != "":
		return bad("damaged or cut short: only %v of sound could be decoded (%s)%s", got.Round(10*time.Millisecond), m.cut, whatIsThere)
	}
	// Encoders pad, and count the padding or not. In a video the sound may end
	// before the picture.
	if m.media.Estimated || m.media.streams > 1 || got+claimed/1000+300*time.Millisecond >= claimed {
		return nil
	}
	return bad("damaged or cut short: only %v of the %v that the file claims could be decoded%s%s",
		got.Round(10*time.Millisecond), claimed.Round(10*time.Millisecond), m.because(), whatIsThere)
}

const whatIsThere = "; to use what is there, convert it to WAV, as ffmpeg -i IN OUT.wav does"

// because is what ffmpeg has complained of.
func (m *messages) because() string {
	switch {
	case m.last == "":
		return ""
	case m.first == m.last:
		return ": " + m.last
	}
	return ": " + m.first + "; " + m.last
}

// failure is the meaning of an exit code that is not 0. What is the file's fault
// is told by words, for the code is 1 in any case (before ffmpeg 7).
func (m *messages) failure(exit *proc.ExitError) error {
	all := m.first + "\n" + m.last + "\n" + exit.Tail
	says := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(all, w) {
				return true
			}
		}
		return false
	}
	switch {
	case says("No space left on device", "Cannot allocate memory", "Permission denied", "Read-only file system",
		"No such file or directory", "already exists"):
	case says("not on whitelist"):
		return bad("refused: not a recording but a playlist, a picture or something else that makes ffmpeg open files by name")
	case says("matches no streams", "does not contain any stream"):
		return bad("no sound: there is no audio stream in the file")
	case says("moov atom not found"):
		return bad("damaged or cut short: the index at the end of the file is missing%s", m.because())
	case says("Invalid data found when processing input", "could not find codec parameters", "Could not find codec parameters",
		"Failed to read frame size", "End of file", "Decoder not found", "Unknown decoder", "no decoder found", "unspecified sample rate", "Error while decoding"):
		return bad("not sound, or damaged%s", m.because())
	}
	if exit.Signal == "" && m.last != "" {
		return fmt.Errorf("ffmpeg: exit code %d%s", exit.ExitCode, m.because())
	}
	return exit
}
