package jetstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// keep is how long results and objects stay on the server.
const keep = 30 * 24 * time.Hour

func (c *Config) jobs() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        jobsStream,
		Description: "Holdfast: recordings to transcribe",
		Subjects:    []string{jobSubject + ".*.*.*"}, // batch, priority, id
		Retention:   jetstream.WorkQueuePolicy,
		Discard:     jetstream.DiscardNew,
		MaxMsgs:     c.maxJobs(),
		Storage:     jetstream.FileStorage,
		Replicas:    max(1, c.Replicas),
		Duplicates:  2 * time.Minute,
	}
}

// A subject takes one result and keeps it: that is what makes a commit happen
// once. DiscardNewPerSubject is the second guard beside the expected sequence;
// without it a second result would replace the first.
func (c *Config) results() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:                 resultsStream,
		Description:          "Holdfast: transcripts",
		Subjects:             []string{resultSubject + ".*.*"}, // batch, id
		Retention:            jetstream.LimitsPolicy,
		Discard:              jetstream.DiscardNew,
		DiscardNewPerSubject: true,
		MaxMsgsPerSubject:    1,
		MaxAge:               keep,
		Storage:              jetstream.FileStorage,
		Replicas:             max(1, c.Replicas),
		AllowDirect:          true,
		DenyDelete:           true,
		DenyPurge:            true,
	}
}

// consumer is shared by all workers. Which jobs are poisonous is for the
// workers to say (MaxDeliver -1): the server would leave such a job in the
// queue for ever and tell nobody.
func (c *Config) consumer(priority string) jetstream.ConsumerConfig {
	wait := c.AckWait
	if wait <= 0 {
		wait = defaultAckWait
	}
	return jetstream.ConsumerConfig{
		Durable:       priority,
		FilterSubject: jobSubject + ".*." + priority + ".*",
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       wait,
		MaxDeliver:    -1,
		MaxAckPending: 10_000, // a worker asks for one job at a time: this only bounds the server's memory
		MaxWaiting:    4096,
	}
}

func (c *Config) maxJobs() int64 {
	if c.MaxJobs <= 0 {
		return defaultMaxJobs
	}
	return c.MaxJobs
}

// create makes what is missing on the server. What is there already is only
// checked: the last one to configure must not win.
func (f *Fleet) create(ctx context.Context) error {
	err := f.repeat(ctx, "make streams", func(ctx context.Context) error {
		_, err := f.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: batchesBucket, Description: "Holdfast: batches", History: 1,
			Storage: jetstream.FileStorage, Replicas: max(1, f.config.Replicas),
		})
		if err != nil && !errors.Is(err, jetstream.ErrBucketExists) {
			return err
		}
		_, err = f.js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{
			Bucket: filesBucket, Description: "Holdfast: lists, recordings, long transcripts", TTL: keep,
			Storage: jetstream.FileStorage, Replicas: max(1, f.config.Replicas),
		})
		if err != nil && !errors.Is(err, jetstream.ErrBucketExists) {
			return err
		}
		for _, config := range []jetstream.StreamConfig{f.config.results(), f.config.jobs()} {
			_, err := f.js.CreateStream(ctx, config)
			if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
				return err
			}
		}
		for _, priority := range []string{urgent, normal} { // last: workers wait for them
			_, err := f.js.CreateConsumer(ctx, jobsStream, f.config.consumer(priority))
			if err != nil && !errors.Is(err, jetstream.ErrConsumerExists) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("make streams: %w", err)
	}
	return f.check(ctx)
}

// check refuses streams with which a result could be lost, replaced or given
// to nobody.
func (f *Fleet) check(ctx context.Context) error {
	var wrong []string
	err := f.repeat(ctx, "check streams", func(ctx context.Context) error {
		wrong = nil
		jobs, err := f.js.Stream(ctx, jobsStream)
		if err != nil {
			return err
		}
		results, err := f.js.Stream(ctx, resultsStream)
		if err != nil {
			return err
		}
		wrong = append(wrong, unsafeJobs(jobs.CachedInfo().Config, f.config.jobs())...)
		wrong = append(wrong, unsafeResults(results.CachedInfo().Config, f.config.results())...)
		for _, priority := range []string{urgent, normal} {
			consumer, err := jobs.Consumer(ctx, priority)
			if err != nil {
				return err
			}
			wrong = append(wrong, unsafeConsumer(consumer.CachedInfo().Config, f.config.consumer(priority))...)
		}
		return nil
	})
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("the server's streams are not safe: %s; remove them when they are empty, and they are made anew", strings.Join(wrong, "; "))
	}
	return err
}

func unsafeJobs(have, want jetstream.StreamConfig) (wrong []string) {
	refuse := func(bad bool, what string) {
		if bad {
			wrong = append(wrong, jobsStream+": "+what)
		}
	}
	refuse(!slices.Equal(have.Subjects, want.Subjects), fmt.Sprintf("subjects are %q and should be %q", have.Subjects, want.Subjects))
	refuse(have.Retention != want.Retention, "retention must be a work queue, or a job is done by many")
	refuse(have.Discard != want.Discard, "discard must be new, or a full stream drops its oldest jobs")
	refuse(have.MaxAge != 0, "jobs must not expire")
	unsafeStore(have, refuse)
	return wrong
}

func unsafeResults(have, want jetstream.StreamConfig) (wrong []string) {
	refuse := func(bad bool, what string) {
		if bad {
			wrong = append(wrong, resultsStream+": "+what)
		}
	}
	refuse(!slices.Equal(have.Subjects, want.Subjects), fmt.Sprintf("subjects are %q and should be %q", have.Subjects, want.Subjects))
	refuse(have.Retention != want.Retention, "retention must be by limits, or a result goes when somebody has read it")
	refuse(have.Discard != want.Discard || !have.DiscardNewPerSubject || have.MaxMsgsPerSubject != 1,
		"a subject must take one message and no second (max_msgs_per_subject 1, discard new, also per subject), or a result can be replaced")
	refuse(!have.DenyDelete || !have.DenyPurge, "deletion and purging must be denied")
	refuse(!have.AllowDirect, "direct reads must be allowed")
	refuse(have.MaxAge != 0 && have.MaxAge < want.MaxAge, fmt.Sprintf("results must stay for %v at least", want.MaxAge))
	unsafeStore(have, refuse)
	return wrong
}

func unsafeStore(have jetstream.StreamConfig, refuse func(bad bool, what string)) {
	refuse(have.Storage != jetstream.FileStorage, "it is in memory only")
	refuse(have.NoAck, "it does not acknowledge")
	refuse(have.PersistMode == jetstream.AsyncPersistMode, "persist_mode async acknowledges before it writes")
}

func unsafeConsumer(have, want jetstream.ConsumerConfig) (wrong []string) {
	refuse := func(bad bool, what string) {
		if bad {
			wrong = append(wrong, "consumer "+want.Durable+": "+what)
		}
	}
	refuse(have.FilterSubject != want.FilterSubject, fmt.Sprintf("its filter is %q and should be %q", have.FilterSubject, want.FilterSubject))
	refuse(have.AckPolicy != want.AckPolicy, "acknowledgements must be explicit")
	refuse(have.MaxDeliver != -1, "max_deliver must be -1: the server would leave a job in the queue for ever and tell nobody")
	refuse(len(have.BackOff) > 0, "it must have no backoff, which would replace the time that a worker may be silent")
	return wrong
}

// bind waits until somebody has made the streams, and checks them.
func (f *Fleet) bind(ctx context.Context) error {
	for told := false; ; {
		err := f.check(ctx)
		missing := errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrConsumerNotFound)
		if err == nil || !missing {
			return err
		}
		if !told {
			f.log.Info("nothing was submitted to this server yet; waiting")
			told = true
		}
		if !sleep(ctx, time.Second) {
			return context.Cause(ctx)
		}
	}
}
