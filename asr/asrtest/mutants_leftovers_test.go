package asrtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/asrtest"
)

// leftoverMutants are adapters that leave something behind, or have a harness that says too little.
var leftoverMutants = map[string]mutant{
	// What is left behind.
	"Close fails the second time": {
		change: func(e *engine) {
			e.stop = func(e *engine) error {
				if e.state["closed"] != "" {
					return os.ErrClosed
				}
				e.state["closed"] = "yes"
				e.scope.Close()
				return nil
			}
		},
		check: "close", says: "Close, called again,: file already closed",
	},
	"Close hangs": {
		change:  func(e *engine) { e.stop = func(*engine) error { <-make(chan bool); return nil } },
		harness: patience,
		check:   "close", says: "Close did not return",
	},
	"it works when it is closed": {
		change: func(e *engine) {
			e.stop = func(e *engine) error { e.closed = false; e.scope.Close(); return nil }
		},
		check: "close", says: "must give an *asr.EngineError",
	},
	"its scope stays open": {
		change: func(e *engine) { e.stop = func(*engine) error { return nil } },
		check:  "close", says: "has not closed its scopes",
	},
	"a recording stays open": {
		change: hears(func(_ *engine, u asr.Utterance, _ *asr.Transcript) {
			f, err := os.Open(u.Path)
			if err != nil {
				panic(err)
			}
			kept.Store(f, f)
		}),
		check: "batch", says: "files: after the call, ",
	},
	"linux: a file stays open until it is gone": {
		change: hears(func(e *engine, _ asr.Utterance, _ *asr.Transcript) {
			f := touch(e.scope.Path("log"))
			kept.Store(f, f)
		}),
		check: "close", says: "files: after Close, this process itself",
	},
	"a goroutine lives on": {
		change: func(e *engine) {
			forever := make(chan bool)
			go func() { <-forever }()
		},
		check: "close", says: "goroutines: one lives on",
	},
	"a process lives on": {
		change: hears(func(e *engine, _ asr.Utterance, _ *asr.Transcript) {
			if e.state["started"] == "" {
				background()
				e.state["started"] = "yes"
			}
		}),
		check: "close", says: "lives on",
	},
	"it writes into the temporary directory": {
		change: writes(func(*engine, asr.Utterance) string { return filepath.Join(os.TempDir(), "manifest.json") }),
		check:  "outside", says: "created",
	},
	"it writes into the home directory": {
		change: writes(func(*engine, asr.Utterance) string {
			home, _ := os.UserHomeDir()
			return filepath.Join(home, ".earrc")
		}),
		check: "outside", says: "created",
	},
	"it writes into the working directory": {
		change: writes(func(*engine, asr.Utterance) string { return "core" }),
		check:  "outside", says: "created",
	},
	"it writes beside the user's recording": {
		change: writes(func(_ *engine, u asr.Utterance) string { return u.Source.AudioPath + ".json" }),
		check:  "outside", says: "created",
	},
	"it changes the user's recording": {
		change: writes(func(_ *engine, u asr.Utterance) string { return u.Source.AudioPath }),
		check:  "outside", says: "changed",
	},
	"it writes into the root itself": {
		change: writes(func(e *engine, _ asr.Utterance) string { return filepath.Join(e.root.Path(), "ear.log") }),
		check:  "close", says: "the engine has left ear.log in the root",
	},
	"it removes its input": {
		change: hears(func(_ *engine, u asr.Utterance, _ *asr.Transcript) {
			if err := os.Remove(u.Path); err != nil {
				panic(err)
			}
		}),
		check: "batch", says: "has changed the recording",
	},

	// What the harness does not say.
	"there is no speech and no reason": {
		harness: func(_ *testing.T, h *asrtest.Harness) { h.Speech = nil },
		check:   "speech", says: "say in NoSpeech why not",
	},
	"there is no other engine and no reason": {
		harness: func(_ *testing.T, h *asrtest.Harness) { h.Other = nil },
		check:   "other", says: "say in NoOther why not",
	},
	"there is no process and no reason": {
		harness: func(_ *testing.T, h *asrtest.Harness) { h.Kill = nil },
		check:   "kill", says: "say in NoKill why not",
	},
}

// kept are files that a mutant has open: the collector must not close them.
var kept sync.Map

// background starts a process that does not end by itself in time.
func background() *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(exe, "linger")
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	return cmd
}
