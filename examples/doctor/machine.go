package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/proc"
)

// patience is how long a program may take to say its version: a cold Python
// under a virus scanner takes many seconds.
const patience = 60 * time.Second

// thisMachine answers for the machine that the program runs on.
func thisMachine(guardian *proc.Guardian) machine {
	m := system()
	m.look = exec.LookPath
	m.run = func(ctx context.Context, program string, args ...string) (string, error) {
		return output(ctx, guardian, program, args...)
	}
	if cache, err := os.UserCacheDir(); err == nil {
		m.cache = filepath.Join(cache, "holdfast")
	}
	return m
}

// output runs a program that is to say something short, and gives both its
// outputs.
func output(ctx context.Context, guardian *proc.Guardian, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	const limit = 1 << 20
	var mu sync.Mutex
	var said strings.Builder
	keep := func(line []byte) {
		mu.Lock()
		defer mu.Unlock()
		if said.Len() < limit {
			said.Write(line)
			said.WriteByte('\n')
		}
	}
	_, err := proc.Run(ctx, proc.Command{Path: program, Args: args, Stdout: keep, Stderr: keep, Guardian: guardian})
	return said.String(), err
}
