package jetstream_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr/jetstream"
)

// HOLDFAST_FLEET is how many jobs the storm has: 20000 for the full one.
const jobsVariable = "HOLDFAST_FLEET"

// Workers and the server are killed at random until all is transcribed, and the
// collector once; in the end each recording has its own text in the journal,
// once.
func TestStorm(t *testing.T) {
	jobs, workers := 500, 4
	full := os.Getenv(jobsVariable) != ""
	if full {
		var err error
		jobs, err = strconv.Atoi(os.Getenv(jobsVariable))
		require.NoError(t, err)
		workers = 8
	}
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	began := time.Now()
	dir := tempDir(t)
	entries := record(t, filepath.Join(dir, "in"), 0, jobs)
	s := &storm{t: t, dir: dir, address: freeAddress(t)}
	s.serve()
	fleet, err := jetstream.Connect(t.Context(), jetstream.Config{URL: "nats://" + s.address, AckWait: 3 * time.Second, Logger: stderrLog()})
	require.NoError(t, err)
	t.Cleanup(func() { fleet.Close() })

	for n := range workers {
		s.workers = append(s.workers, s.worker())
		s.workers[n].await(t)
	}
	s.every(300*time.Millisecond, s.killWorker)
	s.every(5*time.Second, s.killServer)
	_, err = fleet.Submit(t.Context(), "storm", input(entries), jetstream.SubmitOptions{})
	require.NoError(t, err)
	submitted := time.Since(began)

	path := filepath.Join(dir, "journal.jsonl")
	collector := start(t, "collect", path, "nats://"+s.address, "storm")
	collector.await(t)
	waitFor(t, func() bool { return countLines(path) > jobs/4 })
	collector.end()
	s.killServer() // in the midst of it, however fast all this is
	journal := openJournal(t, path)
	report, err := fleet.Collect(t.Context(), "storm", journal, jetstream.CollectOptions{})
	require.NoError(t, err)
	took := time.Since(began)
	s.calm()

	require.Equal(t, jobs, report.Done+report.Resumed)
	require.Positive(t, report.Resumed)
	missing, wrong := 0, 0
	texts := make(map[string]string)
	for _, e := range journal.All() {
		texts[e.AudioPath] = e.PredText
	}
	for n, e := range entries {
		switch texts[e.AudioPath] {
		case fmt.Sprintf("number %d", n):
		case "":
			missing++
		default:
			wrong++
		}
	}
	duplicate := countLines(path) - jobs
	works, distinct := s.worked()
	t.Logf("%d jobs, %d workers: %d workers and %d servers killed in %.0f s (submitted after %.0f s); "+
		"missing %d, duplicate %d, wrong %d; worked %d times, %d more than once (%.2f %%)",
		jobs, workers, s.workersKilled, s.serversKilled, took.Seconds(), submitted.Seconds(),
		missing, duplicate, wrong, works, works-distinct, 100*float64(works-distinct)/float64(jobs))
	require.Zero(t, missing)
	require.Zero(t, duplicate)
	require.Zero(t, wrong)
	require.Positive(t, s.workersKilled)
	require.Positive(t, s.serversKilled)
	if full {
		require.Less(t, float64(works-distinct), 0.01*float64(jobs))
	}
	status, err := fleet.Status(t.Context(), "storm")
	require.NoError(t, err)
	require.Equal(t, jobs, status.Done)
}

// storm is the fleet that is killed.
type storm struct {
	t            *testing.T
	dir, address string
	stop         []func()

	workers       []*player
	workersKilled int

	mu            sync.Mutex
	server        *player
	serversKilled int
}

func (s *storm) serve() {
	s.server = start(s.t, "serve", filepath.Join(s.dir, "s"), s.address)
	s.server.await(s.t)
}

func (s *storm) worker() *player {
	return start(s.t, "work", filepath.Join(s.dir, "w"), "nats://"+s.address, "4")
}

// every calls do now and then until calm.
func (s *storm) every(d time.Duration, do func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	s.stop = append(s.stop, func() {
		close(quit)
		<-ended
	})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(d)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				do()
			case <-quit:
				return
			}
		}
	}()
}

func (s *storm) calm() {
	for _, stop := range s.stop {
		stop()
	}
	s.stop = nil
}

// killWorker kills one that has come to work: on a busy machine none would ever
// get anywhere otherwise.
func (s *storm) killWorker() {
	n := rand.IntN(len(s.workers))
	select {
	case <-s.workers[n].ready:
	default:
		return
	}
	s.workers[n].end()
	s.workersKilled++
	s.workers[n] = s.worker()
}

func (s *storm) killServer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server.end()
	s.serversKilled++
	down := time.NewTimer(time.Duration(rand.IntN(300)) * time.Millisecond)
	<-down.C
	s.serve()
}

// worked reads what the engines of all workers have done.
func (s *storm) worked() (works, distinct int) {
	files, err := filepath.Glob(filepath.Join(s.dir, "w", "done-*"))
	require.NoError(s.t, err)
	seen := make(map[string]bool)
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(s.t, err)
		for _, n := range strings.Fields(string(b)) {
			works++
			seen[n] = true
		}
	}
	return works, len(seen)
}

// countLines counts the records of a journal by their keys.
func countLines(path string) (n int) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		var record struct {
			Key string `json:"_key"`
		}
		if json.Unmarshal([]byte(line), &record) == nil && record.Key != "" {
			n++
		}
	}
	return n
}

// waitFor waits until something is so. The test's own deadline is its limit.
func waitFor(t testing.TB, is func() bool) {
	t.Helper()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for !is() {
		select {
		case <-ticker.C:
		case <-t.Context().Done():
			t.Fatal("it never became so")
		}
	}
}
