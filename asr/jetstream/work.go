package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/tempdir"
)

// WorkOptions of a worker. Run.Root and Run.Journal are needed.
type WorkOptions struct {
	// Run says how one utterance is transcribed. Its journal is the worker's own:
	// a transcript is there before it is sent, and is not made again if that
	// fails. It must not be the collector's, since it is cleared now and then.
	Run asr.Options

	// MaxRecords is how many transcripts the worker's journal holds before it is
	// cleared, once all of them are on the server. Until then a recording that
	// comes again, in another batch, is not transcribed again. 0: 10,000.
	MaxRecords int

	// MaxTries is how often a job is given to a worker before it counts as
	// failed: whoever gets it next would die of it too. A worker that is killed
	// or stopped uses one up. 0: 5.
	MaxTries int

	// Idle ends Work when no job has come for so long; 0: it waits for ever.
	Idle time.Duration

	Client *http.Client // fetches URLs; nil: http.DefaultClient
}

const (
	defaultMaxTries   = 5
	defaultMaxRecords = 10_000
)

// Worked sums up what a worker did.
type Worked struct {
	Done    int // results committed, transcribed by this worker, now or earlier
	Resumed int // of them, those that were in its journal
	Failed  int // failures committed
	Late    int // results that were there first: another worker's, or this one's whose acknowledgement was lost
	Skipped int // jobs that had a result when they came
}

// Work transcribes jobs, of any batch, until ctx ends, the engine dies for
// good, or there has been nothing to do for Idle. As many jobs run at a time as
// the engine bears calls. It waits for a server that is away and for the first
// Submit.
//
// The error says why it ended; it is nil after Idle. What was transcribed is
// committed, or in the worker's journal.
func (f *Fleet) Work(ctx context.Context, t asr.Transcriber, o WorkOptions) (Worked, error) {
	if o.Run.Root == nil || o.Run.Journal == nil {
		return Worked{}, errors.New("jetstream: WorkOptions.Run needs Root and Journal")
	}
	if o.MaxTries <= 0 {
		o.MaxTries = defaultMaxTries
	}
	if o.MaxRecords <= 0 {
		o.MaxRecords = defaultMaxRecords
	}
	host, _ := os.Hostname() // for people
	w := &worker{fleet: f, engine: t, about: t.Engine(), opts: o, log: f.log, name: fmt.Sprintf("%s-%d", host, os.Getpid())}
	w.slots = max(1, w.about.MaxParallel)
	if o.Run.MaxParallel > 0 {
		w.slots = min(w.slots, o.Run.MaxParallel)
	}
	w.opts.Run.MaxParallel = 1 // for each of them
	if err := f.bind(ctx); err != nil {
		return Worked{}, err
	}
	if err := w.find(ctx); err != nil {
		return Worked{}, err
	}
	var err error
	if w.scope, err = o.Run.Root.NewScope(ctx, "fleet worker"); err != nil {
		return Worked{}, err
	}
	defer w.scope.Close()
	if err := w.sendUnsent(ctx); err != nil {
		return w.report, err
	}
	group, ctx := errgroup.WithContext(ctx)
	w.last = time.Now()
	for range w.slots {
		group.Go(func() error { return w.loop(ctx) })
	}
	err = group.Wait()
	return w.report, err
}

// find finds the queues, the results, and how often a job's lease must be renewed.
func (w *worker) find(ctx context.Context) error {
	js := w.fleet.js
	err := w.fleet.repeat(ctx, "find the queue", func(ctx context.Context) (err error) {
		if w.urgent, err = js.Consumer(ctx, jobsStream, urgent); err != nil {
			return err
		}
		if w.normal, err = js.Consumer(ctx, jobsStream, normal); err != nil {
			return err
		}
		if w.results, err = js.Stream(ctx, resultsStream); err != nil {
			return err
		}
		w.batches, err = js.KeyValue(ctx, batchesBucket)
		return err
	})
	if err == nil {
		w.lease = min(w.urgent.CachedInfo().Config.AckWait, w.normal.CachedInfo().Config.AckWait)
	}
	return err
}

// worker is one call of Work.
type worker struct {
	fleet          *Fleet
	engine         asr.Transcriber
	about          asr.Engine
	opts           WorkOptions
	slots          int // jobs at a time
	log            *slog.Logger
	name           string
	urgent, normal jetstream.Consumer
	results        jetstream.Stream
	batches        jetstream.KeyValue
	lease          time.Duration
	scope          *tempdir.Scope
	kept           kept

	mu       sync.Mutex
	report   Worked
	busy     int       // calls of the engine
	last     time.Time // there was something to do
	troubles int       // since the last success
	rest     time.Time // no job is asked for before
}

// begin notes that there is something to do.
func (w *worker) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy++
}

func (w *worker) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy--
	w.last = time.Now()
}

// idle tells whether there has been nothing to do for long enough.
func (w *worker) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.opts.Idle > 0 && w.busy == 0 && time.Since(w.last) > w.opts.Idle
}

func (w *worker) count(n *int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*n++
}

// loop does one job after the other.
func (w *worker) loop(ctx context.Context) error {
	s := slot{worker: w}
	defer s.forget()
	for turn := 0; ; turn++ {
		message, err := w.next(ctx, turn)
		switch {
		case ctx.Err() != nil:
			if message != nil {
				w.giveBack(message, 0)
			}
			return context.Cause(ctx)
		case err != nil:
			w.log.Debug("ask for a job", "err", err)
			sleep(ctx, 250*time.Millisecond)
		case message != nil:
			w.begin()
			err := w.kept.during(func() error { return s.do(ctx, message) })
			w.end()
			if err != nil {
				return err
			}
			w.clear(ctx)
			sleep(ctx, w.caution())
		case w.idle():
			return nil
		}
	}
}

// fetchWait is how long the server holds back its answer that there is nothing
// to do.
const fetchWait = 500 * time.Millisecond

// next asks for one job: more would grow old in this process while others have
// nothing to do. Urgent ones come first, but for one turn in eight.
func (w *worker) next(ctx context.Context, turn int) (jetstream.Msg, error) {
	first, second := w.urgent, w.normal
	if turn%8 == 7 {
		first, second = second, first
	}
	batch, err := first.FetchNoWait(1)
	if message, err := one(batch, err); message != nil || err != nil || ctx.Err() != nil {
		return message, err
	}
	batch, err = second.Fetch(1, jetstream.FetchMaxWait(fetchWait))
	return one(batch, err)
}

func one(batch jetstream.MessageBatch, err error) (jetstream.Msg, error) {
	if err != nil {
		return nil, err
	}
	for message := range batch.Messages() {
		return message, nil
	}
	return nil, batch.Error()
}

// giveBack lets another worker have the job. The delay is that of the server: a
// plain refusal would bring the job back at once.
func (w *worker) giveBack(message jetstream.Msg, delay time.Duration) {
	if err := message.NakWithDelay(max(delay, 100*time.Millisecond)); err != nil {
		w.log.Debug("give back", "err", err) // its lease will end
	}
}
