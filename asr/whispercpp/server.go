package whispercpp

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/proc"
)

// server is a whisper-server, which is started when it is first used, and again
// when it is used after its end. Whoever has taken it from the pool has it alone,
// so it never has more than one request, which is all that it can work on.
type server struct {
	t     *Transcriber
	g     *ground
	child *proc.Process // nil: none runs
	url   string        // with a secret in its path, which keeps out every other program of the machine
	http  http.Client

	vocabulary []string // nil until it is needed

	mu     sync.Mutex
	live   *live    // of the request that is under way
	asked  string   // its name
	heard  bool     // what the server prints is about it
	stderr []string // the last lines, since it began
}

// takeServer waits for a server that is free. One that runs is preferred, so
// that there are as many processes as calls at the same time.
func (t *Transcriber) takeServer(ctx context.Context, g *ground) (worker, func(), error) {
	select {
	case t.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &server{t: t, g: g}
	// No proxy, and a connection for each request: to close it is to cancel.
	s.http.Transport = &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	if n := len(t.idle); n > 0 {
		s, t.idle = t.idle[n-1], t.idle[:n-1]
	}
	return s, func() {
		t.mu.Lock()
		t.idle = append(t.idle, s)
		t.mu.Unlock()
		<-t.slots
	}, nil
}

func (s *server) hear(ctx context.Context, j job) (*output, error) {
	if err := s.ensure(ctx); err != nil {
		return nil, err
	}
	return s.request(ctx, j)
}

// ensure starts the server unless it runs.
func (s *server) ensure(ctx context.Context) error {
	if s.child != nil {
		select {
		case <-s.child.Done():
			s.stop()
		default:
			return nil
		}
	}
	for attempt := 1; ; attempt++ {
		err := s.start(ctx)
		if !errors.Is(err, errPort) || attempt == 5 {
			return err
		}
		s.t.log.Info("port is taken, another is tried", "err", err)
	}
}

// errPort says that somebody was quicker to take the port.
var errPort = errors.New("the port is taken")

// start starts the process and waits until it answers.
func (s *server) start(ctx context.Context) error {
	model, err := s.g.model.hold(ctx, s.t.config.FS)
	if err != nil {
		return s.t.dead(proc.Result{ExitCode: -1}, err)
	}
	defer model.Close()
	port, err := freePort(ctx)
	if err != nil {
		return s.t.dead(proc.Result{ExitCode: -1}, err)
	}
	secret := "/" + rand.Text()
	dir := s.g.scope.Path("server" + secret[1:9])
	if err := s.t.config.FS.MkdirAll(ctx, filepath.Join(dir, "public")); err != nil {
		return s.t.dead(proc.Result{ExitCode: -1}, err)
	}
	args := []string{
		"-m", s.g.modelPath(dir), "-l", s.t.config.Language, "-bs", "1", "-bo", "1",
		"--host", "127.0.0.1", "--port", strconv.Itoa(port), "--request-path", secret,
		"--public", "public", // empty: its default is a folder of the working directory, which it would serve
	}
	if s.t.config.Threads > 0 {
		args = append(args, "-t", strconv.Itoa(s.t.config.Threads))
	}
	if s.g.options["-pr"] {
		args = append(args, "-pr") // prints the segments
	}
	s.child, err = s.t.launch(ctx, context.WithoutCancel(ctx), proc.Command{
		Path: s.t.config.Server, Args: args, Dir: dir, Env: environment(s.g.scope), Stdout: s.printed, Stderr: s.complained,
	})
	if err != nil {
		return err
	}
	s.url = fmt.Sprintf("http://127.0.0.1:%d%s", port, secret)
	return s.await(ctx)
}

func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// await polls until the server says that it is ready. It loads the model before
// it listens.
func (s *server) await(ctx context.Context) error {
	limit := time.NewTimer(s.t.limits.start)
	defer limit.Stop()
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		if s.healthy(ctx) {
			return nil
		}
		select {
		case <-s.child.Done():
			return s.diagnoseStart(s.stop())
		case <-ctx.Done():
			s.stop()
			return context.Cause(ctx)
		case <-limit.C:
			ended := s.stop()
			return s.t.dead(ended, fmt.Errorf("the server was not ready after %v", s.t.limits.start))
		case <-time.After(pause):
		}
	}
}

// healthy asks for the secret path, which another program at the same port does
// not know.
func (s *server) healthy(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/health", nil)
	if err != nil {
		return false
	}
	reply, err := s.http.Do(request)
	if err != nil {
		return false
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(io.LimitReader(reply.Body, 1000))
	return err == nil && reply.StatusCode == http.StatusOK && bytes.Contains(body, []byte(`"ok"`))
}

func (s *server) diagnoseStart(ended proc.Result) error {
	if says(ended.Tail, "couldn't bind") {
		return s.t.dead(ended, errPort)
	}
	err := s.t.diagnose(ended, errors.New("the server has ended as it was started"))
	if about, ok := errors.AsType[*utteranceError](err); ok {
		err = about.error // it had none yet
	}
	return s.t.dead(ended, err)
}

// stop ends the process at once: it has nothing to lose.
func (s *server) stop() proc.Result {
	s.child.Kill()
	ended, _ := s.t.reap(s.child)
	s.child = nil
	return ended
}

// died says why a request has failed that got no answer.
func (s *server) died(err error) error {
	select {
	case <-s.child.Done():
	case <-time.After(10 * time.Second):
		return s.t.dead(s.stop(), fmt.Errorf("the server has broken off, and lives: %w", err))
	}
	ended := s.stop()
	if dead := s.t.crashed(ended); dead != nil {
		return dead
	}
	return s.t.dead(ended, fmt.Errorf("the server has ended in the middle of its work: %w", err))
}

// begin makes j the one that the server's messages are about, until done.
func (s *server) begin(j job, name string) (done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live, s.asked, s.heard, s.stderr = newLive(j.Utterance), name, false, nil
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.live = nil
	}
}

// printed gets what the server prints. It names a request before its segments;
// what is late from an earlier one is left out.
func (s *server) printed(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name, ok := bytes.CutPrefix(line, []byte("Received request: ")); ok {
		s.heard = string(name) == s.asked
	} else if s.heard && s.live != nil {
		s.live.line(line)
	}
}

func (s *server) complained(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.stderr) == 20 {
		s.stderr = s.stderr[1:]
	}
	s.stderr = append(s.stderr, strings.ToValidUTF8(string(line[:min(len(line), 400)]), "?"))
}

// said gives the server's last messages.
func (s *server) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.stderr, "\n")
}

// fail is an error about one utterance.
func (s *server) fail(err error) error { return &utteranceError{err, s.said()} }
