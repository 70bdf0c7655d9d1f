package jetstream_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/jetstream"
)

// foreign starts a server that is not ours.
func foreign(t *testing.T, jetStream bool) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, JetStream: jetStream, StoreDir: tempDir(t), NoSigs: true, NoLog: true})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	require.True(t, s.ReadyForConnections(time.Minute))
	return s
}

// Whether a server syncs cannot be seen; so it is said.
func TestForeignServer(t *testing.T) {
	var said bytes.Buffer
	fleet, err := jetstream.Connect(t.Context(), jetstream.Config{InProcess: foreign(t, true), Logger: slog.New(slog.NewTextHandler(&said, nil))})
	require.NoError(t, err)
	require.NoError(t, fleet.Close())
	require.Contains(t, said.String(), "sync_interval: always")

	said.Reset()
	o := newOffice(t, jetstream.Config{Logger: slog.New(slog.NewTextHandler(&said, nil))})
	require.NoError(t, o.fleet.Close())
	require.Empty(t, said.String())
}

func TestServerWithoutJetStream(t *testing.T) {
	_, err := jetstream.Connect(t.Context(), jetstream.Config{InProcess: foreign(t, false)})
	require.ErrorIs(t, err, natsjs.ErrJetStreamNotEnabled)
	require.ErrorContains(t, err, "store_dir")
}

func TestNoServer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := jetstream.Connect(ctx, jetstream.Config{URL: "nats://" + freeAddress(t)})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = jetstream.Connect(ctx, jetstream.Config{})
	require.ErrorContains(t, err, "URL")
}

// Streams that somebody has made otherwise are refused with the reason, and
// left as they are.
func TestUnsafeStreams(t *testing.T) {
	for name, c := range map[string]struct {
		change func(jobs, results *natsjs.StreamConfig, consumer *natsjs.ConsumerConfig)
		want   string
	}{
		"results can be replaced": {func(_, r *natsjs.StreamConfig, _ *natsjs.ConsumerConfig) { r.DiscardNewPerSubject = false }, "can be replaced"},
		"results can be deleted":  {func(_, r *natsjs.StreamConfig, _ *natsjs.ConsumerConfig) { r.DenyDelete = false }, "deletion"},
		"results expire early":    {func(_, r *natsjs.StreamConfig, _ *natsjs.ConsumerConfig) { r.MaxAge = time.Hour }, "stay for"},
		"results in memory":       {func(_, r *natsjs.StreamConfig, _ *natsjs.ConsumerConfig) { r.Storage = natsjs.MemoryStorage }, "HF_RESULTS: it is in memory"},
		"jobs are no queue":       {func(j, _ *natsjs.StreamConfig, _ *natsjs.ConsumerConfig) { j.Retention = natsjs.LimitsPolicy }, "work queue"},
		"old jobs are dropped":    {func(j, _ *natsjs.StreamConfig, _ *natsjs.ConsumerConfig) { j.Discard = natsjs.DiscardOld }, "oldest jobs"},
		"jobs expire":             {func(j, _ *natsjs.StreamConfig, _ *natsjs.ConsumerConfig) { j.MaxAge = time.Hour }, "not expire"},
		"other subjects":          {func(j, _ *natsjs.StreamConfig, _ *natsjs.ConsumerConfig) { j.Subjects = []string{"hf.job.>"} }, "subjects are"},
		"asynchronous":            {func(j, _ *natsjs.StreamConfig, _ *natsjs.ConsumerConfig) { j.PersistMode = natsjs.AsyncPersistMode }, "persist_mode"},
		"jobs are given up":       {func(_, _ *natsjs.StreamConfig, c *natsjs.ConsumerConfig) { c.MaxDeliver = 3 }, "max_deliver"},
		"backoff": {func(_, _ *natsjs.StreamConfig, c *natsjs.ConsumerConfig) {
			c.MaxDeliver, c.BackOff = 9, []time.Duration{time.Second}
		}, "backoff"},
	} {
		t.Run(name, func(t *testing.T) {
			s := foreign(t, true)
			conn, err := nats.Connect("", nats.InProcessServer(s))
			require.NoError(t, err)
			defer conn.Close()
			js, err := natsjs.New(conn)
			require.NoError(t, err)
			jobs := natsjs.StreamConfig{Name: "HF_JOBS", Subjects: []string{"hf.job.*.*.*"}, Retention: natsjs.WorkQueuePolicy,
				Discard: natsjs.DiscardNew, MaxMsgs: 1000, Duplicates: time.Minute}
			results := natsjs.StreamConfig{Name: "HF_RESULTS", Subjects: []string{"hf.res.*.*"}, Discard: natsjs.DiscardNew,
				DiscardNewPerSubject: true, MaxMsgsPerSubject: 1, AllowDirect: true, DenyDelete: true, DenyPurge: true}
			consumer := natsjs.ConsumerConfig{Durable: "normal", FilterSubject: "hf.job.*.normal.*", AckPolicy: natsjs.AckExplicitPolicy, MaxDeliver: -1}
			c.change(&jobs, &results, &consumer)
			_, err = js.CreateStream(t.Context(), jobs)
			require.NoError(t, err)
			_, err = js.CreateStream(t.Context(), results)
			require.NoError(t, err)
			_, err = js.CreateConsumer(t.Context(), "HF_JOBS", consumer)
			require.NoError(t, err)

			fleet, err := jetstream.Connect(t.Context(), jetstream.Config{InProcess: s})
			require.NoError(t, err)
			defer fleet.Close()
			_, err = fleet.Submit(t.Context(), "b", input(nil), jetstream.SubmitOptions{})
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "not safe")
		})
	}
}

// The server has lost everything: submitted again, what is missing is done, and
// the rest is not asked for.
func TestServerLosesItsData(t *testing.T) {
	dir := tempDir(t)
	entries := record(t, filepath.Join(dir, "in"), 0, 10)
	journal := openJournal(t, filepath.Join(dir, "journal.jsonl"))
	address := freeAddress(t)
	connect := func() *jetstream.Fleet {
		fleet, err := jetstream.Connect(t.Context(), jetstream.Config{URL: "nats://" + address})
		require.NoError(t, err)
		t.Cleanup(func() { fleet.Close() })
		return fleet
	}
	first := start(t, "serve", filepath.Join(dir, "s1"), address)
	first.await(t)
	_, err := connect().Submit(t.Context(), "b", input(entries[:5]), jetstream.SubmitOptions{})
	require.NoError(t, err)
	start(t, "work", filepath.Join(dir, "w"), "nats://"+address, "1")
	_, err = connect().Collect(t.Context(), "b", journal, jetstream.CollectOptions{})
	require.NoError(t, err)
	first.end()
	second := start(t, "serve", filepath.Join(dir, "s2"), address)
	second.await(t)
	submitted, err := connect().Submit(t.Context(), "b", input(entries), jetstream.SubmitOptions{Journal: journal})
	require.NoError(t, err)
	require.Equal(t, jetstream.Submitted{Total: 10, Done: 5, Sent: 5}, submitted)
	report, err := connect().Collect(t.Context(), "b", journal, jetstream.CollectOptions{})
	require.NoError(t, err)
	require.Equal(t, [2]int{5, 5}, [2]int{report.Done, report.Resumed})
}

// The server has lost everything under a collector that goes on, and has as many
// results again when it looks: none of them is passed over, nor what was added to
// the batch.
func TestServerLosesItsDataUnderACollector(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	entries := o.record(0, 7)
	work := func(others, last chan struct{}) (stop func() (jetstream.Worked, error)) {
		return o.work(&fake{parallel: 7, hear: func(ctx context.Context, n int) (asr.Transcript, error) {
			turn := others
			if n == 5 {
				turn = last
			}
			select {
			case <-turn:
				return say(ctx, n)
			case <-ctx.Done():
				return asr.Transcript{}, context.Cause(ctx)
			}
		}}, jetstream.WorkOptions{})
	}
	done := func(n int) func() bool {
		return func() bool {
			s, err := o.fleet.Status(t.Context(), "b")
			return err == nil && s.Done == n
		}
	}
	never, now := make(chan struct{}), make(chan struct{})
	close(now)
	o.submit("b", entries[:6], jetstream.SubmitOptions{})
	stop := work(now, never)
	lose := func() {
		_, _ = stop()
		js := o.raw()
		for _, stream := range []string{"HF_JOBS", "HF_RESULTS", "KV_hf_batches", "OBJ_hf_files"} {
			require.NoError(t, js.DeleteStream(t.Context(), stream))
		}
		o.submit("b", entries, jetstream.SubmitOptions{})
		later := make(chan struct{})
		work(later, now)
		waitFor(t, done(1))
		close(later)
		waitFor(t, done(7))
	}
	var once sync.Once
	report, err := o.fleet.Collect(t.Context(), "b", o.journal, jetstream.CollectOptions{Progress: func(done, _ int) {
		if done == 5 {
			once.Do(lose)
		}
	}})
	require.NoError(t, err)
	require.Equal(t, 7, report.Done)
	require.Equal(t, numbers(0, 7), o.published("b"))
}
