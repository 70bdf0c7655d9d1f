package asrtest

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// session is an engine from Open to Close.
type session struct {
	suite  *suite
	root   *tempdir.Root
	scope  *tempdir.Scope // of the suite, as a run has one
	engine asr.Transcriber
	about  asr.Engine

	goroutines map[string]string // before Open
	processes  map[int]bool      // before Open
	calls      []*call
	unusable   bool // it hangs or is dead for good: the next check needs another
}

// open opens the engine in a root of the given name.
func (s *suite) open(t *testing.T, name string, open func(*testing.T, *tempdir.Root) asr.Transcriber) *session {
	t.Helper()
	root, err := tempdir.Open(t.Context(), filepath.Join(s.base, name), tempdir.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	scope, err := root.NewScope(t.Context(), "asrtest")
	if err != nil {
		t.Fatal(err)
	}
	p := &session{suite: s, root: root, scope: scope, goroutines: goroutines(), processes: map[int]bool{}}
	for _, process := range offspring() {
		p.processes[process.pid] = true
	}
	if p.engine = open(t, root); p.engine == nil {
		t.Fatal("Harness.Open returned no engine")
	}
	p.about = p.engine.Engine()
	return p
}

// started lists the processes that the engine has running.
func (p *session) started() []process {
	var list []process
	for _, process := range offspring() {
		if !p.processes[process.pid] {
			list = append(list, process)
		}
	}
	return list
}

// abandon closes an engine that failed, as far as that goes.
func (p *session) abandon() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = p.engine.Close()
	}()
	select {
	case <-closed:
	case <-time.After(min(p.suite.patience, 10*time.Second)):
	}
	for _, process := range p.started() {
		process.kill()
	}
	p.scope.Close()
}

// close closes the engine and looks for what it has left behind.
func (p *session) close(t *testing.T) {
	t.Helper()
	if !p.closeTwice(t) {
		p.unusable = true
		return
	}
	p.checkClosed(t)
	left := p.scope.Close()
	for _, path := range left {
		t.Errorf("files: the run's scope cannot be deleted, because %s is held", path)
	}
	p.settle(t, "after Close", func() []string {
		var found []string
		for _, process := range p.started() {
			found = append(found, "processes: "+process.String()+" lives on")
		}
		return found
	})
	for _, process := range p.started() {
		process.kill() // it was reported
	}
	p.settle(t, "after Close", func() []string {
		var found []string
		for _, stack := range leaked(p.goroutines) {
			found = append(found, "goroutines: one lives on:\n"+stack)
		}
		return found
	})
	for _, h := range heldBelow(p.root.Path()) {
		t.Errorf("files: after Close, %s", h)
	}
	p.checkRoot(t)
	for _, c := range p.calls {
		c.report(t)
	}
}

// closeTwice reports whether Close came back.
func (p *session) closeTwice(t *testing.T) bool {
	t.Helper()
	for _, which := range []string{"Close", "Close, called again,"} {
		done := make(chan error, 1)
		go func() { done <- p.engine.Close() }()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("%s: %v", which, err)
			}
		case <-time.After(p.suite.patience):
			t.Errorf("%s did not return within %v", which, p.suite.patience)
			return false
		}
	}
	return true
}

// checkClosed calls Transcribe of the closed engine.
func (p *session) checkClosed(t *testing.T) {
	t.Helper()
	c := p.start(t.Context(), p.utterances(t, silence(time.Second)), reaction{})
	c.wait(t)
	if _, ok := errors.AsType[*asr.EngineError](c.err); !ok || len(c.transcripts) > 0 {
		t.Errorf("Transcribe after Close gave %v, must give an *asr.EngineError", c)
	}
}

// checkRoot looks at what is left in the root, where only caches may stay.
func (p *session) checkRoot(t *testing.T) {
	t.Helper()
	swept, err := p.root.Sweep(context.Background())
	if err != nil {
		t.Errorf("files: the root cannot be swept: %v", err)
	}
	if len(swept.Live) > 0 {
		t.Errorf("files: the engine has not closed its scopes %q", swept.Live)
	}
	if len(swept.Removed)+len(swept.Left) > 0 {
		t.Errorf("files: the engine has left %q", append(swept.Removed, swept.Left...))
	}
	entries, err := (retry.FS{}).ReadDir(context.Background(), p.root.Path())
	if err != nil {
		t.Error(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); name != ".holdfast" && name != "s" && name != "cache" {
			t.Errorf("files: the engine has left %s in the root, outside of scopes and cache", name)
		}
	}
}

// settle waits until find has nothing left to say: what a process or a goroutine
// did last may need a moment to be seen.
func (p *session) settle(t *testing.T, when string, find func() []string) {
	t.Helper()
	var found []string
	for deadline := time.Now().Add(p.suite.patience / 10); ; <-time.After(5 * time.Millisecond) {
		found = find()
		if len(found) == 0 {
			return
		}
		if time.Now().After(deadline) {
			break
		}
	}
	for _, what := range found {
		t.Errorf("%s: %s", when, what)
	}
}

// checkFiles looks whether the call that has ended left the recordings as they
// were.
func (p *session) checkFiles(t *testing.T, batch []asr.Utterance, before map[string]string) {
	t.Helper()
	paths := make([]string, len(batch))
	for i, u := range batch {
		paths[i] = u.Path
	}
	for _, h := range held(paths, p.started()) {
		t.Errorf("files: after the call, %s", h)
	}
	for _, u := range batch {
		if state := describe(u.Path); state != before[u.Path] {
			t.Errorf("files: the engine has changed the recording %s: %s, then %s", u.Path, before[u.Path], state)
		}
	}
}
