package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/jetstream"
	"github.com/holdfast-go/holdfast/asr/jetstream/embedded"
	"github.com/holdfast-go/holdfast/internal/proc"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// playVariable makes the test binary play a process of a fleet: what it is, then
// its arguments, with spaces between.
const playVariable = "JETSTREAM_TEST_PLAY"

func TestMain(m *testing.M) {
	part := strings.Fields(os.Getenv(playVariable))
	if len(part) == 0 {
		os.Exit(m.Run())
	}
	play := map[string]func(context.Context, []string) error{"serve": playServer, "work": playWorker, "collect": playCollector}[part[0]]
	if err := play(context.Background(), part[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// playServer: DIR ADDRESS
func playServer(ctx context.Context, args []string) error {
	root, err := tempdir.Open(ctx, args[0], tempdir.Options{MinFree: -1})
	if err != nil {
		return err
	}
	_, err = embedded.Start(ctx, embedded.Config{Root: root, Listen: args[1], MinFree: 1 << 20, Logger: stderrLog()})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	select {}
}

// playWorker: DIR URL MILLISECONDS (that the engine takes at most)
func playWorker(ctx context.Context, args []string) error {
	root, err := tempdir.Open(ctx, args[0], tempdir.Options{MinFree: -1})
	if err != nil {
		return err
	}
	journal, err := firstFree(ctx, filepath.Join(args[0], "cache", "worker-%d.jsonl"))
	if err != nil {
		return err
	}
	limit, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	done, err := os.OpenFile(filepath.Join(args[0], fmt.Sprintf("done-%d", os.Getpid())), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	engine := &fake{hear: func(ctx context.Context, n int) (asr.Transcript, error) {
		pause := time.NewTimer(time.Duration(rand.IntN(limit*1000+1)) * time.Microsecond)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-ctx.Done():
			return asr.Transcript{}, context.Cause(ctx)
		}
		fmt.Fprintln(done, n) // one write: it is there when the process is killed
		return say(ctx, n)
	}}
	fleet, err := jetstream.Connect(ctx, jetstream.Config{URL: args[1], Logger: stderrLog()})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	_, err = fleet.Work(ctx, engine, jetstream.WorkOptions{Run: asr.Options{Root: root, Journal: journal}, MaxTries: 20, MaxRecords: 25})
	return err
}

// playCollector: JOURNAL URL BATCH
func playCollector(ctx context.Context, args []string) error {
	journal, err := manifest.OpenJournal(ctx, args[0], manifest.Options{})
	if err != nil {
		return err
	}
	defer journal.Close()
	fleet, err := jetstream.Connect(ctx, jetstream.Config{URL: args[1], Logger: stderrLog()})
	if err != nil {
		return err
	}
	defer fleet.Close()
	fmt.Println("ready")
	_, err = fleet.Collect(ctx, args[2], journal, jetstream.CollectOptions{})
	return err
}

func stderrLog() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func firstFree(ctx context.Context, pattern string) (*manifest.Journal, error) {
	for n := 1; ; n++ {
		journal, err := manifest.OpenJournal(ctx, fmt.Sprintf(pattern, n), manifest.Options{})
		if !errors.Is(err, manifest.ErrInUse) {
			return journal, err
		}
	}
}

// player is a process that plays a part.
type player struct {
	*proc.Process
	ready chan struct{} // closed when it has said so

	mu   sync.Mutex
	said string // on standard error
}

// start starts one, which ends with the test.
func start(t testing.TB, part ...string) *player {
	t.Helper()
	p := &player{ready: make(chan struct{})}
	name := part[0]
	var err error
	p.Process, err = proc.Start(t.Context(), proc.Command{
		Path: os.Args[0],
		Env:  append(os.Environ(), playVariable+"="+strings.Join(part, " ")),
		Stdout: func(line []byte) {
			if string(line) == "ready" {
				close(p.ready)
			}
		},
		Stderr: func(line []byte) {
			t.Logf("%s: %s", name, line)
			p.mu.Lock()
			defer p.mu.Unlock()
			p.said += string(line) + "\n"
		},
	})
	require.NoError(t, err)
	t.Cleanup(p.end)
	return p
}

// end kills it, as kill -9 does, and waits until it is gone.
func (p *player) end() {
	p.Kill()
	_, _ = p.Wait()
}

// await waits until it is ready.
func (p *player) await(t testing.TB) {
	t.Helper()
	select {
	case <-p.ready:
	case <-p.Done():
		result, err := p.Wait()
		t.Fatalf("ended early: %v %+v", err, result)
	}
}

// hasSaid tells whether it has said something on standard error.
func (p *player) hasSaid(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Contains(p.said, text)
}

// freeAddress is one that nobody listens at.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}
