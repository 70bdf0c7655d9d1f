package nemo_test

import (
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/nemo"
)

// meter adds up what testdata/hooks/meter.py says of each call of NeMo.
type meter struct {
	mu    sync.Mutex
	total time.Duration
	calls int
}

var metered = regexp.MustCompile(`METER ([\d.]+)`)

func (m *meter) Write(line []byte) (int, error) {
	if found := metered.FindSubmatch(line); found != nil {
		s, _ := strconv.ParseFloat(string(found[1]), 64)
		m.mu.Lock()
		m.total += time.Duration(s * float64(time.Second))
		m.calls++
		m.mu.Unlock()
	}
	return len(line), nil
}

func (m *meter) take() (total time.Duration, calls int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	total, calls = m.total, m.calls
	m.total, m.calls = 0, 0
	return total, calls
}

// BenchmarkWarm has 40 short recordings transcribed by a warm process. "x-inside" is
// the time of the whole call, from Go to Go, to the time inside of NeMo's own
// transcribe for the same batches in the same process: what the adapter adds. Whole
// runs beside plain NeMo are measured in internal/bench.
func BenchmarkWarm(b *testing.B) {
	n := realNeMo(b)
	var m meter
	engine := n.open(b, nemo.Config{Threads: 1, Logger: slog.New(slog.NewTextHandler(&m, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	batch := forty(b)
	require.Len(b, run(b.Context(), engine, batch...).texts, 40) // the first calls are slow
	m.take()
	var inside, whole time.Duration
	for b.Loop() {
		begin := time.Now()
		require.Len(b, run(b.Context(), engine, batch...).texts, 40)
		whole += time.Since(begin)
		total, calls := m.take() // the last line may come a little later; then it is not counted
		require.GreaterOrEqual(b, calls, 4)
		inside += total
	}
	b.ReportMetric(float64(whole)/float64(inside), "x-inside")
	b.ReportMetric(float64(whole.Milliseconds())/float64(b.N), "ms/40")
	b.ReportMetric(0, "ns/op")
}

func forty(t testing.TB) (batch []asr.Utterance) {
	dir := t.TempDir()
	for i := range 40 {
		batch = append(batch, record(t, dir, fmt.Sprintf("%016d", i), say(sentences[i%len(sentences)])))
	}
	return batch
}
