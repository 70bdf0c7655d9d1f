package jetstream_test

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/jetstream"
	"github.com/holdfast-go/holdfast/manifest"
)

func TestSubmitWorkCollect(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	entries := o.record(0, 20)
	require.Equal(t, jetstream.Submitted{Total: 20, Sent: 20}, o.submit("talks", entries, jetstream.SubmitOptions{}))
	stop := o.work(&fake{parallel: 2}, jetstream.WorkOptions{})
	report, err := o.collect("talks")
	require.NoError(t, err)
	require.Equal(t, 20, report.Done)
	require.Equal(t, 200*time.Millisecond, report.Audio)
	require.Equal(t, numbers(0, 20), o.published("talks"))
	worked, err := stop()
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, jetstream.Worked{Done: 20}, worked)
}

// Submit sends what is neither done nor waiting, however often it is called.
func TestSubmitReconciles(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	entries := o.record(0, 6)
	o.submit("b", entries[:4], jetstream.SubmitOptions{})
	require.Equal(t, jetstream.Submitted{Total: 6, Queued: 4, Sent: 2}, o.submit("b", entries, jetstream.SubmitOptions{}))
	require.Equal(t, jetstream.Submitted{Total: 6, Queued: 6}, o.submit("b", entries, jetstream.SubmitOptions{}))
	status, err := o.fleet.Status(t.Context(), "b")
	require.NoError(t, err)
	require.Equal(t, jetstream.Status{Jobs: 6, Waiting: 6}, status)

	engine := &fake{}
	stop := o.work(engine, jetstream.WorkOptions{})
	_, err = o.collect("b")
	require.NoError(t, err)
	require.Equal(t, jetstream.Submitted{Total: 6, Done: 6}, o.submit("b", entries, jetstream.SubmitOptions{}))
	more := append(o.record(6, 1), entries...) // another first one moves nobody's identity
	require.Equal(t, jetstream.Submitted{Total: 7, Done: 6, Sent: 1}, o.submit("b", more, jetstream.SubmitOptions{}))
	report, err := o.collect("b")
	require.NoError(t, err)
	require.Equal(t, [2]int{1, 6}, [2]int{report.Done, report.Resumed})
	require.Equal(t, append(numbers(6, 1), numbers(0, 6)...), o.published("b"))
	require.EqualValues(t, 7, engine.calls.Load())
	_, err = stop()
	require.ErrorIs(t, err, context.Canceled)
	waitFor(t, func() bool { // the server takes acknowledgements in its own time
		status, err = o.fleet.Status(t.Context(), "b")
		require.NoError(t, err)
		return status.Waiting == 0 && status.Working == 0
	})
	require.Equal(t, jetstream.Status{Jobs: 7, Done: 7}, status)
}

// What the collector's journal has is not asked for again, even of a server that
// knows nothing.
func TestJournalIsTheTruth(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	entries := o.record(0, 3)
	o.submit("b", entries, jetstream.SubmitOptions{})
	o.work(&fake{}, jetstream.WorkOptions{})
	_, err := o.collect("b")
	require.NoError(t, err)

	other := newOffice(t, jetstream.Config{})
	other.journal = o.journal
	more := append(entries, o.record(3, 1)...)
	require.Equal(t, jetstream.Submitted{Total: 4, Done: 3, Sent: 1},
		other.submit("b", more, jetstream.SubmitOptions{Journal: o.journal}))
	other.work(&fake{}, jetstream.WorkOptions{})
	report, err := other.collect("b")
	require.NoError(t, err)
	require.Equal(t, [2]int{1, 3}, [2]int{report.Done, report.Resumed})
	require.Equal(t, numbers(0, 4), other.published("b"))
}

// The same recording under two names is done once and is there twice.
func TestSameRecordingTwice(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	entries := o.record(0, 1)
	copied := entries[0].AudioPath + ".copy.wav"
	require.NoError(t, os.WriteFile(copied, wav(0), 0o600))
	entries = append(entries, manifest.Entry{AudioPath: copied, Text: "zero"})
	require.Equal(t, jetstream.Submitted{Total: 1, Sent: 1}, o.submit("b", entries, jetstream.SubmitOptions{}))
	engine := &fake{}
	o.work(engine, jetstream.WorkOptions{})
	_, err := o.collect("b")
	require.NoError(t, err)
	require.Equal(t, []string{"number 0", "number 0"}, o.published("b"))
	require.EqualValues(t, 1, engine.calls.Load())
}

// Entries keep their own fields, also those that encoding/json would refuse.
func TestFieldsAreKept(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	path := o.record(0, 1)[0].AudioPath
	var e manifest.Entry
	require.NoError(t, e.UnmarshalJSON([]byte(`{"audio_filepath": `+strconv.Quote(path)+`, "text": "zéro", "snr": NaN, "speaker": {"id": 7}}`)))
	o.submit("b", []manifest.Entry{e}, jetstream.SubmitOptions{})
	o.work(&fake{}, jetstream.WorkOptions{})
	_, err := o.collect("b")
	require.NoError(t, err)
	for _, kept := range o.journal.All() {
		require.Equal(t, path, kept.AudioPath)
		require.Equal(t, "zéro", kept.Text)
		require.Equal(t, "number 0", kept.PredText)
		snr, _ := kept.Extra.Get("snr")
		require.Equal(t, "NaN", string(snr))
		speaker, _ := kept.Extra.Get("speaker")
		require.JSONEq(t, `{"id": 7}`, string(speaker))
	}
}

// Urgent jobs go first, and yet the others get their turn.
func TestPriorities(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	o.submit("slow", o.record(0, 10), jetstream.SubmitOptions{})
	o.submit("fast", o.record(100, 10), jetstream.SubmitOptions{Urgent: true})
	var mu sync.Mutex
	var order []int
	o.work(&fake{hear: func(ctx context.Context, n int) (asr.Transcript, error) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, n)
		return say(ctx, n)
	}}, jetstream.WorkOptions{})
	for _, batch := range []string{"slow", "fast"} {
		_, err := o.collect(batch)
		require.NoError(t, err)
	}
	urgentIn := func(part []int) (n int) {
		for _, v := range part {
			if v >= 100 {
				n++
			}
		}
		return n
	}
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, 7, urgentIn(order[:8]), "%v", order)
	require.Equal(t, 10, urgentIn(order[:11]), "%v", order)
}

// A full queue stops the submitter, not the workers, and loses nothing.
func TestFullQueue(t *testing.T) {
	o := newOffice(t, jetstream.Config{MaxJobs: 5})
	entries := o.record(0, 30)
	submitted := make(chan error, 1)
	go func() {
		_, err := o.fleet.Submit(t.Context(), "b", input(entries), jetstream.SubmitOptions{})
		submitted <- err
	}()
	waitFor(t, func() bool {
		s, err := o.fleet.Status(t.Context(), "b")
		return err == nil && s.Waiting == 5
	})
	select {
	case err := <-submitted:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	o.work(&fake{}, jetstream.WorkOptions{})
	require.NoError(t, <-submitted)
	_, err := o.collect("b")
	require.NoError(t, err)
	require.Equal(t, numbers(0, 30), o.published("b"))
}

func TestCancel(t *testing.T) {
	o := newOffice(t, jetstream.Config{AckWait: time.Second})
	entries := o.record(0, 5)
	o.submit("b", entries, jetstream.SubmitOptions{})
	started, stopped := make(chan struct{}), make(chan struct{})
	var once sync.Once
	engine := &fake{hear: func(ctx context.Context, n int) (asr.Transcript, error) {
		first := false
		once.Do(func() { first = true })
		if first {
			close(started)
			<-ctx.Done()
			close(stopped)
			return asr.Transcript{}, context.Cause(ctx)
		}
		return say(ctx, n)
	}}
	o.work(engine, jetstream.WorkOptions{})
	collected := make(chan error, 1)
	go func() {
		_, err := o.fleet.Collect(t.Context(), "b", o.journal, jetstream.CollectOptions{})
		collected <- err
	}()
	<-started
	require.NoError(t, o.fleet.Cancel(t.Context(), "b"))
	<-stopped
	require.ErrorIs(t, <-collected, jetstream.ErrCancelled)
	waitFor(t, func() bool {
		s, err := o.fleet.Status(t.Context(), "b")
		require.NoError(t, err)
		return s.Cancelled && s.Waiting == 0
	})

	require.Equal(t, jetstream.Submitted{Total: 5, Sent: 5}, o.submit("b", entries, jetstream.SubmitOptions{}))
	_, err := o.collect("b")
	require.NoError(t, err)
	require.Equal(t, numbers(0, 5), o.published("b"))
}

func TestNamesAndMissingBatches(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	for _, name := range []string{"", "a.b", "a*", ">", "a b", "ü", "a/b", strings.Repeat("x", 65)} {
		_, err := o.fleet.Submit(t.Context(), name, input(nil), jetstream.SubmitOptions{})
		require.ErrorContains(t, err, "batch name", name)
	}
	_, err := o.collect("nobody")
	require.ErrorIs(t, err, jetstream.ErrNoBatch)
	require.ErrorIs(t, o.fleet.Cancel(t.Context(), "nobody"), jetstream.ErrNoBatch)
	_, err = o.fleet.Status(t.Context(), "nobody")
	require.ErrorIs(t, err, jetstream.ErrNoBatch)

	require.Equal(t, jetstream.Submitted{}, o.submit("empty", nil, jetstream.SubmitOptions{}))
	report, err := o.collect("empty")
	require.NoError(t, err)
	require.Zero(t, report.Total)
}

// A worker ends by itself when there is nothing to do for long enough.
func TestIdleWorkerEnds(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	o.submit("b", o.record(0, 7), jetstream.SubmitOptions{})
	journal := openJournal(t, o.dir+"/worker.jsonl")
	worked, err := o.fleet.Work(t.Context(), &fake{parallel: 3}, jetstream.WorkOptions{
		Run: asr.Options{Root: o.root, Journal: journal}, Idle: 3 * time.Second})
	require.NoError(t, err)
	require.Equal(t, jetstream.Worked{Done: 7}, worked)
}

// It may start before anybody has submitted.
func TestWorkerBeforeSubmit(t *testing.T) {
	waiting := make(chan struct{})
	o := newOffice(t, jetstream.Config{Logger: slog.New(hears{"nothing was submitted", waiting})})
	o.work(&fake{}, jetstream.WorkOptions{})
	<-waiting
	o.submit("b", o.record(0, 1), jetstream.SubmitOptions{})
	_, err := o.collect("b")
	require.NoError(t, err)
}

// hears closes a channel when a text is logged, which must be once.
type hears struct {
	text  string
	heard chan struct{}
}

func (h hears) Enabled(context.Context, slog.Level) bool { return true }
func (h hears) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h hears) WithGroup(string) slog.Handler            { return h }

func (h hears) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, h.text) {
		close(h.heard)
	}
	return nil
}
