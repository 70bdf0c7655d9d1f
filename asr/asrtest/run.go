package asrtest

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/retry"
)

// check is one promise of the contract, tried with an open engine.
type check struct {
	name string
	run  func(s *suite, t *testing.T)
}

var checks = []check{
	{"engine", (*suite).checkEngine},
	{"silence", (*suite).checkSilence},
	{"speech", (*suite).checkSpeech},
	{"words", (*suite).checkWords},
	{"batch", (*suite).checkBatch},
	{"bad audio", (*suite).checkBadAudio},
	{"break", (*suite).checkBreak},
	{"cancel", (*suite).checkCancel},
	{"cancelled before", (*suite).checkCancelledBefore},
	{"parallel", (*suite).checkParallel},
	{"kill", (*suite).checkKill},
	{"other", (*suite).checkOther},
	{"names", (*suite).checkNames},
}

// Run is the conformance suite: a subtest for each promise of the contract. It
// changes the environment and the working directory, so t cannot be parallel,
// and other tests must not start processes meanwhile. An engine that hangs
// fails its check and is opened again for the next one.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if h.Open == nil {
		t.Fatal("Harness.Open is missing")
	}
	s := &suite{harness: h, patience: h.Patience}
	if s.patience == 0 {
		s.patience = 5 * time.Minute
	}
	s.setUp(t)
	for _, c := range checks {
		if s.session == nil {
			s.session = s.open(t, "root", h.Open)
		}
		t.Run(c.name, func(t *testing.T) { c.run(s, t) })
		if s.session.unusable {
			s.session.abandon()
			s.session = nil
		}
	}
	if s.session != nil {
		t.Run("close", func(t *testing.T) { s.session.close(t) })
	} else {
		t.Error("close: not tried, because the engine could not be used")
	}
	t.Run("outside", s.checkOutside)
}

// suite is one run.
type suite struct {
	harness  Harness
	patience time.Duration
	base     string   // a directory of the suite's own
	watched  *watched // where the engine must write nothing
	session  *session // the engine that most checks use
	speech   []sound
	spoken   []*call // of the check of speech, if that has run
}

func (s *suite) setUp(t *testing.T) {
	t.Helper()
	t.TempDir() // so that those of Harness.Open do not lie in what is watched
	for i, clip := range s.harness.Speech {
		s.speech = append(s.speech, load(t, i, clip))
	}
	s.base = filepath.Join(os.TempDir(), "hf-"+rand.Text()[:10]) // a root's path must be short
	if err := (retry.FS{}).MkdirAll(t.Context(), s.base); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := (retry.FS{}).RemoveAll(context.Background(), s.base); err != nil {
			t.Errorf("after the test: %v", err)
		}
	})
	s.watched = watch(t, filepath.Join(s.base, "watched"))
}

// demand ends a check that the harness does not allow, with its reason. Where
// something is missing without a reason, the check fails.
func demand(t *testing.T, given bool, field, reason string) {
	t.Helper()
	switch {
	case reason != "":
		t.Skipf("No%s: %s", field, reason)
	case !given:
		t.Fatalf("Harness.%s is missing; give it, or say in No%s why not", field, field)
	}
}

// limit gives the most utterances of a kind that the engine takes in a call.
func limit(about asr.Engine, most int) int {
	return min(max(1, about.MaxBatch), most)
}
