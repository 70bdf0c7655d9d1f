package jetstream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/jetstream"
	"github.com/holdfast-go/holdfast/manifest"
)

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// failed gives the failures of an error by the names of their files.
func failed(err error) map[string]*asr.UtteranceError {
	all := make(map[string]*asr.UtteranceError)
	for f := range asr.Failures(err) {
		all[f.Path[strings.LastIndexAny(f.Path, `/\`)+1:]] = f
	}
	return all
}

// What is bad everywhere fails at once; the others are not affected, and what
// was mended can be submitted again.
func TestBadAudio(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	entries := o.record(0, 3)
	require.NoError(t, os.WriteFile(entries[1].AudioPath, []byte("this is a text"), 0o600))
	o.submit("b", entries, jetstream.SubmitOptions{})
	stop := o.work(&fake{}, jetstream.WorkOptions{})
	report, err := o.collect("b")
	require.Equal(t, [3]int{3, 2, 1}, [3]int{report.Total, report.Done, report.Failed})
	require.ErrorIs(t, failed(err)["00001.wav"], asr.ErrBadAudio)
	require.ErrorContains(t, err, "looks like text")
	worked, _ := stop()
	require.Equal(t, jetstream.Worked{Done: 2, Failed: 1}, worked)

	// A failure is a result as long as nobody asks for another try.
	require.Equal(t, jetstream.Submitted{Total: 3, Done: 3}, o.submit("b", entries, jetstream.SubmitOptions{}))
	require.NoError(t, os.WriteFile(entries[1].AudioPath, wav(1), 0o600))
	require.Equal(t, jetstream.Submitted{Total: 3, Done: 2, Sent: 1}, o.submit("b", entries, jetstream.SubmitOptions{RetryFailed: true}))
	o.work(&fake{}, jetstream.WorkOptions{})
	_, err = o.collect("b")
	require.NoError(t, err)
	require.Equal(t, numbers(0, 3), o.published("b"))
}

// An engine that dies of one recording costs that one, after MaxTries.
func TestPoison(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	entries := o.record(0, 4)
	o.submit("b", entries, jetstream.SubmitOptions{})
	healthy := atomic.Bool{}
	engine := &fake{hear: func(ctx context.Context, n int) (asr.Transcript, error) {
		if n == 2 && !healthy.Load() {
			return asr.Transcript{}, &asr.EngineError{Engine: "fake", ExitCode: 139, Err: errors.New("segmentation fault")}
		}
		return say(ctx, n)
	}}
	o.work(engine, jetstream.WorkOptions{MaxTries: 2})
	report, err := o.collect("b")
	require.Equal(t, [2]int{3, 1}, [2]int{report.Done, report.Failed})
	require.ErrorContains(t, failed(err)["00002.wav"], "segmentation fault")

	healthy.Store(true)
	for range 2 { // the second one finds it waiting, or done
		o.submit("b", entries, jetstream.SubmitOptions{RetryFailed: true})
	}
	report, err = o.collect("b")
	require.NoError(t, err)
	require.Equal(t, [2]int{1, 3}, [2]int{report.Done, report.Resumed})
	require.Equal(t, numbers(0, 4), o.published("b"))
}

// What passes is tried again, and nobody hears of it.
func TestPassingFailure(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	o.submit("b", o.record(0, 1), jetstream.SubmitOptions{})
	var tries atomic.Int64
	o.work(&fake{hear: func(ctx context.Context, n int) (asr.Transcript, error) {
		if tries.Add(1) == 1 {
			return asr.Transcript{}, &asr.UtteranceError{Err: asr.ErrOutOfMemory}
		}
		return say(ctx, n)
	}}, jetstream.WorkOptions{})
	report, err := o.collect("b")
	require.NoError(t, err)
	require.Equal(t, 1, report.Done)
}

// The error of a worker crosses the network with its meaning.
func TestCauseIsKept(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	o.submit("b", o.record(0, 1), jetstream.SubmitOptions{})
	o.work(&fake{hear: func(context.Context, int) (asr.Transcript, error) {
		return asr.Transcript{}, &asr.UtteranceError{Err: fmt.Errorf("%w: 12 GB are needed", asr.ErrOutOfMemory)}
	}}, jetstream.WorkOptions{MaxTries: 1})
	_, err := o.collect("b")
	require.ErrorIs(t, failed(err)["00000.wav"], asr.ErrOutOfMemory)
	require.ErrorContains(t, err, "12 GB are needed")
}

// An engine that cannot be used ends its worker; another one does the job.
func TestFatalEngine(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	o.submit("b", o.record(0, 3), jetstream.SubmitOptions{})
	journal := openJournal(t, o.dir+"/worker.jsonl")
	broken := &fake{hear: func(context.Context, int) (asr.Transcript, error) {
		return asr.Transcript{}, &asr.EngineError{Engine: "fake", ExitCode: 1, Err: asr.ErrBadModel, Fatal: true}
	}}
	_, err := o.fleet.Work(t.Context(), broken, jetstream.WorkOptions{Run: asr.Options{Root: o.root, Journal: journal}})
	require.ErrorIs(t, err, asr.ErrBadModel)
	o.work(&fake{}, jetstream.WorkOptions{})
	_, err = o.collect("b")
	require.NoError(t, err)
	require.Equal(t, numbers(0, 3), o.published("b"))
}

// A worker that is told to stop gives its job back at once.
func TestStoppedWorkerGivesBack(t *testing.T) {
	o := newOffice(t, jetstream.Config{}) // a lease of a minute
	o.submit("b", o.record(0, 1), jetstream.SubmitOptions{})
	started := make(chan struct{})
	stop := o.work(&fake{hear: func(ctx context.Context, n int) (asr.Transcript, error) {
		close(started)
		<-ctx.Done()
		return asr.Transcript{}, context.Cause(ctx)
	}}, jetstream.WorkOptions{})
	<-started
	_, err := stop()
	require.ErrorIs(t, err, context.Canceled)
	o.work(&fake{}, jetstream.WorkOptions{})
	_, err = o.collect("b")
	require.NoError(t, err)
}

// Another file than the one that was submitted is no good.
func TestChangedFileIsRefused(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	entries := o.record(0, 2)
	o.submit("b", entries, jetstream.SubmitOptions{})
	require.NoError(t, os.WriteFile(entries[0].AudioPath, wav(7), 0o600))
	o.work(&fake{}, jetstream.WorkOptions{MaxTries: 1})
	report, err := o.collect("b")
	require.Equal(t, [2]int{1, 1}, [2]int{report.Done, report.Failed})
	require.ErrorContains(t, failed(err)["00000.wav"], "was submitted")

	// Submitted again it is another recording.
	require.Equal(t, jetstream.Submitted{Total: 2, Done: 1, Sent: 1}, o.submit("b", entries, jetstream.SubmitOptions{}))
	_, err = o.collect("b")
	require.NoError(t, err)
	require.Equal(t, []string{"number 7", "number 1"}, o.published("b"))
}

// What cannot be submitted is named, and keeps nothing else from it.
func TestUnsubmittable(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	entries := o.record(0, 1)
	claimed := o.record(1, 1)[0]
	require.NoError(t, claimed.Extra.Set("sha256", strings.Repeat("0", 64)))
	silly := o.record(2, 1)[0]
	require.NoError(t, silly.Extra.Set("sha256", "abc"))
	entries = append(entries, manifest.Entry{AudioPath: o.dir + "/absent.wav"}, manifest.Entry{AudioPath: o.dir},
		manifest.Entry{AudioPath: "http://localhost/talk.wav"}, manifest.Entry{}, silly, claimed)
	s, err := o.fleet.Submit(t.Context(), "b", input(entries), jetstream.SubmitOptions{Upload: true})
	require.Equal(t, jetstream.Submitted{Total: 1, Sent: 1, Failed: 6}, s)
	all := failed(err)
	require.ErrorIs(t, all["absent.wav"], os.ErrNotExist)
	require.ErrorContains(t, all["talk.wav"], "sha256")
	require.ErrorContains(t, all["00002.wav"], "64 hexadecimal digits")
	require.ErrorContains(t, all["00001.wav"], "the entry says")
	require.ErrorIs(t, all[""], asr.ErrBadAudio)
}

// A name that is not UTF-8, as old disks have them, would reach the workers as
// another one. With the recording itself it does no harm.
func TestPathThatIsNotUTF8(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	path := filepath.Join(o.dir, "caf\xe9.wav")
	if err := os.WriteFile(path, wav(0), 0o600); err != nil {
		t.Skip("this file system takes no such name: ", err)
	}
	entries := []manifest.Entry{{AudioPath: path}}
	s, err := o.fleet.Submit(t.Context(), "b", input(entries), jetstream.SubmitOptions{})
	require.Equal(t, jetstream.Submitted{Failed: 1}, s)
	require.ErrorContains(t, err, "UTF-8")

	o.submit("b", entries, jetstream.SubmitOptions{Upload: true})
	o.work(&fake{}, jetstream.WorkOptions{})
	_, err = o.collect("b")
	require.NoError(t, err)
	require.Equal(t, numbers(0, 1), o.published("b"))
}

// A transcript that is longer than a message may be travels as an object.
func TestLongTranscript(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	o.submit("b", o.record(0, 2), jetstream.SubmitOptions{})
	long := strings.Repeat("and so on ", 300_000)
	o.work(&fake{hear: func(_ context.Context, n int) (asr.Transcript, error) {
		return asr.Transcript{Text: fmt.Sprint(n, " ", long)}, nil
	}}, jetstream.WorkOptions{})
	_, err := o.collect("b")
	require.NoError(t, err)
	require.Equal(t, []string{"0 " + long, "1 " + long}, o.published("b"))
}

// A result that was damaged on the server is a failure, not a transcript; so is
// a message that is none.
func TestDamagedResult(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	entries := o.record(0, 2)
	o.submit("b", entries, jetstream.SubmitOptions{})
	js := o.raw()
	stream, err := js.Stream(t.Context(), "HF_JOBS")
	require.NoError(t, err)
	info, err := stream.Info(t.Context(), natsjs.WithSubjectFilter("hf.job.b.>"))
	require.NoError(t, err)
	var ids []string
	for subject := range info.State.Subjects {
		ids = append(ids, subject[strings.LastIndexByte(subject, '.')+1:])
	}
	slices.Sort(ids)
	_, err = js.Publish(t.Context(), "hf.res.b."+ids[0], []byte("\x00\x01"))
	require.NoError(t, err)
	flipped, err := json.Marshal(map[string]string{"entry": `{"audio_filepath": "x.wav", "pred_text": "wrong"}`, "sha256": "0123"})
	require.NoError(t, err)
	_, err = js.Publish(t.Context(), "hf.res.b."+ids[1], flipped)
	require.NoError(t, err)
	report, err := o.collect("b")
	require.Equal(t, [2]int{0, 2}, [2]int{report.Done, report.Failed})
	require.ErrorContains(t, err, "damaged on the server")

	require.Equal(t, 0, o.submit("b", entries, jetstream.SubmitOptions{RetryFailed: true}).Done)
	o.work(&fake{}, jetstream.WorkOptions{})
	_, err = o.collect("b")
	require.NoError(t, err)
	require.Equal(t, numbers(0, 2), o.published("b"))
}

// raw connects as any other program may.
func (o *office) raw() natsjs.JetStream {
	o.t.Helper()
	conn, err := nats.Connect("", nats.InProcessServer(o.server))
	require.NoError(o.t, err)
	o.t.Cleanup(conn.Close)
	js, err := natsjs.New(conn)
	require.NoError(o.t, err)
	return js
}

// A worker whose journal has the transcript does not make it again: here its
// first commit was lost with the server's data.
func TestWorkersJournalFirst(t *testing.T) {
	entries := record(t, tempDir(t), 0, 3)
	engine := &fake{}
	journal := openJournal(t, tempDir(t)+"/worker.jsonl")
	for round := range 2 {
		o := newOffice(t, jetstream.Config{})
		o.submit("b", entries, jetstream.SubmitOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		wait.Go(func() {
			worked, err := o.fleet.Work(ctx, engine, jetstream.WorkOptions{Run: asr.Options{Root: o.root, Journal: journal}})
			if !errors.Is(err, context.Canceled) || worked.Done != 3 || worked.Resumed != 3*round {
				t.Errorf("%+v %v", worked, err)
			}
		})
		_, err := o.collect("b")
		require.NoError(t, err)
		require.Equal(t, numbers(0, 3), o.published("b"))
		cancel()
		wait.Wait()
	}
	require.EqualValues(t, 3, engine.calls.Load())
}

// What a worker has in its journal and could not send goes to the server before
// anything else, even if the recording is out of reach by now.
func TestUnsentIsSentFirst(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	entries := o.record(0, 2)
	journal := openJournal(t, tempDir(t)+"/worker.jsonl")
	run := asr.Options{Root: o.root, Journal: journal}
	o.submit("b", entries, jetstream.SubmitOptions{})
	workOff(t, o.fleet, "b", &fake{}, run)

	other := newOffice(t, jetstream.Config{})
	other.submit("b", entries, jetstream.SubmitOptions{})
	for _, e := range entries {
		require.NoError(t, os.Remove(e.AudioPath))
	}
	engine := &fake{}
	require.Equal(t, jetstream.Worked{Done: 2, Resumed: 2, Skipped: 2}, workOff(t, other.fleet, "b", engine, run))
	require.Zero(t, engine.calls.Load())
	_, err := other.collect("b")
	require.NoError(t, err)
	require.Equal(t, numbers(0, 2), other.published("b"))
	for _, e := range other.journal.All() {
		_, ok := e.Extra.Get("fleet_job")
		require.False(t, ok)
	}
}

// A worker's journal does not grow for ever: it is cleared when all of it is on
// the server, also while other jobs of the worker are being done.
func TestWorkersJournalIsCleared(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	o.submit("b", o.record(0, 50), jetstream.SubmitOptions{})
	journal := openJournal(t, tempDir(t)+"/worker.jsonl")
	engine := &fake{parallel: 3}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := o.fleet.Work(ctx, engine, jetstream.WorkOptions{Run: asr.Options{Root: o.root, Journal: journal}, MaxRecords: 10})
		ended <- err
	}()
	_, err := o.collect("b")
	require.NoError(t, err)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.Equal(t, numbers(0, 50), o.published("b"))
	require.EqualValues(t, 50, engine.calls.Load())
	left := 0
	for range journal.All() {
		left++
	}
	require.Less(t, left, 13, "10, and what two other calls have added meanwhile")
}

// What could not be sent stays in it, also when another job of the worker would
// have it cleared: here the store for long transcripts is gone.
func TestUnsentIsNotCleared(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	o.submit("b", o.record(0, 2), jetstream.SubmitOptions{})
	journal := openJournal(t, tempDir(t)+"/worker.jsonl")
	js := o.raw()
	long, begun, sent := strings.Repeat("and so on ", 300_000), make(chan struct{}), make(chan struct{})
	engine := &fake{parallel: 2, hear: func(ctx context.Context, n int) (asr.Transcript, error) {
		if n == 0 {
			<-begun // so that the other job cannot be over before this one is under way
			return say(ctx, n)
		}
		close(begun)
		<-sent
		return asr.Transcript{Text: long}, nil
	}}
	ended := make(chan error, 1)
	go func() {
		_, err := o.fleet.Work(t.Context(), engine, jetstream.WorkOptions{Run: asr.Options{Root: o.root, Journal: journal}, MaxRecords: 1})
		ended <- err
	}()
	waitFor(t, func() bool {
		status, err := o.fleet.Status(t.Context(), "b")
		require.NoError(t, err)
		return status.Done == 1
	})
	require.NoError(t, js.DeleteStream(t.Context(), "OBJ_hf_files"))
	close(sent)
	require.ErrorIs(t, <-ended, natsjs.ErrBucketNotFound)
	var left []string
	for _, e := range journal.All() {
		left = append(left, e.PredText)
	}
	require.Contains(t, left, long)
}

// A worker on which everything fails at once does not draw all jobs to it and
// use up their tries.
func TestBrokenWorkerIsNoSink(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	o.submit("b", o.record(0, 60), jetstream.SubmitOptions{})
	var broken atomic.Int64
	o.work(&fake{hear: func(context.Context, int) (asr.Transcript, error) {
		broken.Add(1)
		return asr.Transcript{}, &asr.UtteranceError{Err: asr.ErrOutOfMemory}
	}}, jetstream.WorkOptions{})
	waitFor(t, func() bool { return broken.Load() > 1 })
	o.work(&fake{}, jetstream.WorkOptions{})
	report, err := o.collect("b")
	require.NoError(t, err)
	require.Equal(t, 60, report.Done)
	require.Less(t, broken.Load(), int64(20))
}

// As many jobs run at a time as the engine bears calls, and no more.
func TestParallel(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	o.submit("b", o.record(0, 12), jetstream.SubmitOptions{})
	var now, most atomic.Int64
	all := make(chan struct{})
	var once sync.Once
	o.work(&fake{parallel: 3, hear: func(ctx context.Context, n int) (asr.Transcript, error) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer now.Add(-1)
		if now.Load() == 3 {
			once.Do(func() { close(all) })
		}
		<-all
		return say(ctx, n)
	}}, jetstream.WorkOptions{})
	_, err := o.collect("b")
	require.NoError(t, err)
	require.EqualValues(t, 3, most.Load())
}

// What is in the queue and is no job costs no worker its life.
func TestForgedJob(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	o.submit("b", o.record(0, 1), jetstream.SubmitOptions{})
	js := o.raw()
	for n, data := range []string{"", "{}", `{"batch": "b.>", "id": "*", "sha256": "x", "entry": "{}"}`, "\x00"} {
		_, err := js.Publish(t.Context(), fmt.Sprintf("hf.job.b.urgent.%d", n), []byte(data))
		require.NoError(t, err)
	}
	o.work(&fake{}, jetstream.WorkOptions{})
	_, err := o.collect("b")
	require.NoError(t, err)
	waitFor(t, func() bool {
		s, err := o.fleet.Status(t.Context(), "b")
		require.NoError(t, err)
		return s.Waiting == 0
	})
}

// An engine may say of a failure as much as it likes.
func TestLongError(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	o.submit("b", o.record(0, 1), jetstream.SubmitOptions{})
	o.work(&fake{hear: func(context.Context, int) (asr.Transcript, error) {
		return asr.Transcript{}, &asr.UtteranceError{Err: fmt.Errorf("%w: %s", asr.ErrBadAudio, strings.Repeat("ü", 600<<10))}
	}}, jetstream.WorkOptions{})
	_, err := o.collect("b")
	require.ErrorIs(t, failed(err)["00000.wav"], asr.ErrBadAudio)
	require.Less(t, len(err.Error()), 100<<10)
}
