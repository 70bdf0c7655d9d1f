package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/retry"
)

// storm begins and gives the file operations to use in it; end stops it and says how often a file was held. The
// holders are other processes.
func storm(_ context.Context, o options) (files retry.FS, end func() (int, error), err error) {
	exe, err := os.Executable()
	if err != nil {
		return files, nil, err
	}
	var holders []*holder
	end = func() (int, error) {
		total := 0
		for _, h := range holders {
			n, err := h.end()
			if err != nil {
				return total, err
			}
			total += n
		}
		return total, nil
	}
	for range o.holders {
		h, err := startHolder(exe, o)
		if err != nil {
			_, _ = end()
			return files, nil, err
		}
		holders = append(holders, h)
	}
	return files, end, nil
}

// holder is another process that scans.
type holder struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   strings.Builder
}

func startHolder(exe string, o options) (*holder, error) {
	h := &holder{cmd: exec.Command(exe, "-scan", "-dir", o.dir, "-share", o.scanner.Share.String(),
		"-min", o.scanner.Min.String(), "-max", o.scanner.Max.String())}
	h.cmd.Stdout, h.cmd.Stderr = &h.out, os.Stderr
	stdin, err := h.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	h.stdin = stdin
	return h, h.cmd.Start()
}

func (h *holder) end() (int, error) {
	_ = h.stdin.Close()
	if err := h.cmd.Wait(); err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(h.out.String()))
}
