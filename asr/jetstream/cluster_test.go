package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/jetstream"
)

// cluster starts three servers that keep each message three times.
func cluster(t *testing.T) (servers []*server.Server, urls string) {
	t.Helper()
	var routes []*url.URL
	var ports []int
	for range 3 {
		address := freeAddress(t)
		routes = append(routes, &url.URL{Scheme: "nats", Host: address})
		port, err := strconv.Atoi(address[strings.LastIndexByte(address, ':')+1:])
		require.NoError(t, err)
		ports = append(ports, port)
	}
	var all []string
	for n := range 3 {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", n), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: tempDir(t), SyncAlways: true, Routes: routes,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[n]},
		})
		require.NoError(t, err)
		s.Start()
		t.Cleanup(func() {
			s.Shutdown()
			s.WaitForShutdown()
		})
		servers = append(servers, s)
	}
	for _, s := range servers {
		require.True(t, s.ReadyForConnections(time.Minute))
		all = append(all, s.ClientURL())
	}
	return servers, strings.Join(all, ",")
}

// A cluster refuses a second result too, in its own words, and goes on without
// one of its servers.
func TestCluster(t *testing.T) {
	servers, urls := cluster(t)
	fleet, err := jetstream.Connect(t.Context(), jetstream.Config{URL: urls, Replicas: 3})
	require.NoError(t, err)
	defer fleet.Close()
	dir := tempDir(t)
	entries := record(t, dir+"/in", 0, 10)
	_, err = fleet.Submit(t.Context(), "b", input(entries), jetstream.SubmitOptions{})
	require.NoError(t, err)

	conn, err := nats.Connect(urls)
	require.NoError(t, err)
	defer conn.Close()
	js, err := natsjs.New(conn)
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), "HF_JOBS")
	require.NoError(t, err)
	info, err := stream.Info(t.Context(), natsjs.WithSubjectFilter("hf.job.b.>"))
	require.NoError(t, err)
	engine := &fake{hear: func(ctx context.Context, n int) (asr.Transcript, error) {
		if n == 0 { // another worker is faster with all of them
			for subject := range info.State.Subjects {
				id := subject[strings.LastIndexByte(subject, '.')+1:]
				result := fmt.Appendf(nil, `{"job": %q, "error": "somebody else"}`, id)
				for stands := false; !stands && ctx.Err() == nil; { // a cluster may answer late, or not yet
					_, err := js.Publish(ctx, "hf.res.b."+id, result, natsjs.WithExpectLastSequencePerSubject(0))
					answer, refused := errors.AsType[*natsjs.APIError](err)
					stands = err == nil || refused && answer.ErrorCode == natsjs.JSErrCodeStreamWrongLastSequence
				}
			}
		}
		return say(ctx, n)
	}}
	run := asr.Options{Root: openRoot(t, dir+"/r"), Journal: openJournal(t, dir+"/worker.jsonl")}
	worked := workOff(t, fleet, "b", engine, run)
	require.Positive(t, worked.Late)
	require.Equal(t, 10, worked.Done+worked.Late+worked.Skipped, "%+v", worked)
	journal := openJournal(t, dir+"/journal.jsonl")
	report, err := fleet.Collect(t.Context(), "b", journal, jetstream.CollectOptions{})
	require.Equal(t, 10, report.Done+report.Failed)
	require.ErrorContains(t, failed(err)["00000.wav"], "somebody else")

	servers[0].Shutdown()
	_, err = fleet.Submit(t.Context(), "b", input(entries), jetstream.SubmitOptions{RetryFailed: true})
	require.NoError(t, err)
	workOff(t, fleet, "b", &fake{}, run)
	again, err := fleet.Collect(t.Context(), "b", journal, jetstream.CollectOptions{})
	require.NoError(t, err)
	require.Equal(t, 10, again.Done+again.Resumed)
	require.Equal(t, report.Failed, again.Done)
}
