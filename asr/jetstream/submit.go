package jetstream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
)

// SubmitOptions of a Submit; the zero value is useful.
type SubmitOptions struct {
	// Journal of the collector, if it is at hand: what it has is not submitted.
	Journal *manifest.Journal
	// Urgent jobs are taken before others, which still get one turn in eight.
	Urgent bool
	// Upload copies recordings to the server, for workers that cannot reach them
	// by path or URL. It is for an office; many big files are better on a share.
	Upload bool
	// RetryFailed submits again what has failed.
	RetryFailed bool
	FS          retry.FS // how recordings are read; zero: real files, default policy
}

// Submitted sums up a Submit.
type Submitted struct {
	Total  int // distinct utterances of the input that could be read
	Done   int // have a result already
	Queued int // were waiting already
	Sent   int // were published now
	Failed int // entries that cannot be submitted
}

// Submit makes a batch of the input, and publishes what of it has no result
// and does not wait already; so it may be repeated, after a failure or just to
// be sure, and goes on from there. It returns when everything is on the server.
//
// The audio of an entry is a path, which must be the same on every machine that
// works, or an http or https URL, for which the entry must have a field
// "sha256". Of a path the checksum is taken here, unless the entry has it; a
// worker that finds another file refuses it.
//
// An entry that cannot be submitted is a [*asr.UtteranceError] in the error
// (see [asr.Failures]) and keeps no other from being submitted.
func (f *Fleet) Submit(ctx context.Context, batch string, in iter.Seq2[manifest.Entry, error], o SubmitOptions) (Submitted, error) {
	if err := checkBatch(batch); err != nil {
		return Submitted{}, err
	}
	if err := f.create(ctx); err != nil {
		return Submitted{}, err
	}
	s := submission{fleet: f, batch: batch, opts: o, missing: make(map[string]bool), uploaded: make(map[string]bool)}
	failed, err := s.read(ctx, in)
	if err == nil {
		err = s.reconcile(ctx)
	}
	if err == nil {
		err = s.announce(ctx)
	}
	if err == nil {
		err = s.publish(ctx)
	}
	s.report.Failed = len(failed)
	return s.report, failures(err, failed)
}

type submission struct {
	fleet    *Fleet
	batch    string
	opts     SubmitOptions
	all      []job           // in the order of the input, the same one perhaps twice
	missing  map[string]bool // ids of those to publish
	uploaded map[string]bool // checksums of recordings
	cancels  int
	report   Submitted
}

// read makes jobs of the input.
func (s *submission) read(ctx context.Context, in iter.Seq2[manifest.Entry, error]) (failed []*asr.UtteranceError, err error) {
	seen := make(map[string]bool)
	for entry, err := range in {
		if ctx.Err() != nil {
			return failed, context.Cause(ctx)
		}
		var j job
		if err == nil {
			j, err = s.job(ctx, entry)
		}
		if err != nil {
			one, ok := errors.AsType[*asr.UtteranceError](err)
			if line, isLine := errors.AsType[*manifest.LineError](err); !ok && isLine {
				one, ok = &asr.UtteranceError{Err: line}, true
			}
			if !ok {
				return failed, err
			}
			failed = append(failed, one)
			continue
		}
		seen[j.ID] = true
		s.all = append(s.all, j)
	}
	s.report.Total = len(seen)
	return failed, nil
}

// job makes one job. Its errors concern this entry, unless ctx is done.
func (s *submission) job(ctx context.Context, e manifest.Entry) (job, error) {
	sum, err := givenSum(e)
	switch {
	case err != nil:
	case e.AudioPath == "":
		err = fmt.Errorf("the entry names no audio file: %w", asr.ErrBadAudio)
	case isURL(e.AudioPath) && sum == "":
		err = fmt.Errorf("the field %q is missing: of a URL nobody can tell whether it still gives the same recording", sumField)
	case isURL(e.AudioPath) && s.opts.Upload:
		err = errors.New("a URL cannot be uploaded: workers fetch it themselves")
	case isURL(e.AudioPath):
	case !s.opts.Upload && !utf8.ValidString(e.AudioPath): // workers would be told another one
		err = errors.New("the path is not UTF-8: rename it, or upload the recording")
	default:
		path := e.AudioPath
		if e.AudioPath, err = filepath.Abs(path); err == nil && (sum == "" || s.opts.Upload) {
			var found string
			if found, err = hashFile(ctx, s.opts.FS, path); err == nil && sum != "" && sum != found {
				err = fmt.Errorf("the file's checksum is %s, the entry says %s", found, sum)
			}
			sum = found
		}
	}
	if ctx.Err() != nil {
		return job{}, context.Cause(ctx)
	}
	if err != nil {
		return job{}, &asr.UtteranceError{Path: e.AudioPath, Err: err}
	}
	j := newJob(s.batch, e, sum)
	j.Uploaded = s.opts.Upload
	return j, nil
}

func hashFile(ctx context.Context, files retry.FS, path string) (string, error) {
	info, err := files.Stat(ctx, path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() { // to open a pipe would wait for its writer
		return "", fmt.Errorf("it is not a regular file (%v): %w", info.Mode().Type(), asr.ErrBadAudio)
	}
	file, err := files.Open(ctx, path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	for {
		_, err := io.CopyN(sum, file, 8<<20)
		switch {
		case errors.Is(err, io.EOF):
			return hex.EncodeToString(sum.Sum(nil)), nil
		case err != nil:
			return "", err
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		}
	}
}

// reconcile finds out what is missing on the server.
func (s *submission) reconcile(ctx context.Context) error {
	queued, err := s.fleet.subjects(ctx, jobsStream, jobSubject+"."+s.batch+".>")
	if err != nil {
		return err
	}
	attempts, err := s.attempts(ctx)
	if err != nil {
		return err
	}
	waiting := make(map[string]bool, len(queued))
	for subject := range queued {
		waiting[lastToken(subject)] = true
	}
	counted := make(map[string]bool)
	for i := range s.all {
		j := &s.all[i]
		last, tried := attempts[j.ID]
		j.Attempt = last.number
		again := tried && s.opts.RetryFailed && last.failed
		if again {
			j.Attempt++
		}
		if counted[j.ID] {
			continue
		}
		counted[j.ID] = true
		inJournal := false
		if s.opts.Journal != nil {
			_, inJournal = s.opts.Journal.Lookup(j.key())
		}
		switch {
		case inJournal, tried && !again:
			s.report.Done++
		case waiting[j.token()]:
			s.report.Queued++
		default:
			s.missing[j.ID] = true
		}
	}
	return nil
}

// attempt is the last one of a job that has a result.
type attempt struct {
	number int
	failed bool // known only if the bodies were read
}

// attempts finds the results of the batch: by their subjects alone, unless it
// matters whether they are failures.
func (s *submission) attempts(ctx context.Context) (map[string]attempt, error) {
	found := make(map[string]attempt)
	add := func(id string, a attempt) {
		if old, ok := found[id]; !ok || a.number > old.number || !a.failed && a.number == old.number {
			found[id] = a
		}
	}
	if !s.opts.RetryFailed {
		subjects, err := s.fleet.subjects(ctx, resultsStream, resultSubject+"."+s.batch+".*")
		for subject := range subjects {
			if id, number, ok := parseToken(lastToken(subject)); ok {
				add(id, attempt{number: number})
			}
		}
		return found, err
	}
	for r, err := range s.fleet.results(ctx, s.batch, false) {
		if err != nil {
			return nil, err
		}
		add(r.Job, attempt{r.Attempt, r.Error != ""})
	}
	return found, nil
}

// subjects lists those of a stream that have a message.
func (f *Fleet) subjects(ctx context.Context, stream, filter string) (map[string]uint64, error) {
	var found map[string]uint64
	err := f.repeatFor(ctx, time.Minute, "list "+stream, func(ctx context.Context) error {
		s, err := f.js.Stream(ctx, stream)
		if err != nil {
			return err
		}
		info, err := s.Info(ctx, jetstream.WithSubjectFilter(filter))
		if err == nil {
			found = info.State.Subjects
		}
		return err
	})
	return found, err
}

// announce tells collectors what belongs to the batch. It comes before the jobs:
// what nobody asks for would be transcribed in vain.
func (s *submission) announce(ctx context.Context) error {
	b, err := s.fleet.batch(ctx, s.batch)
	if err != nil && !errors.Is(err, ErrNoBatch) {
		return err
	}
	s.cancels = b.Cancels
	list, err := s.fleet.putList(ctx, s.batch, s.all)
	if err != nil {
		return err
	}
	if b.List == list && !b.Cancelled {
		return nil
	}
	b.Jobs, b.List, b.Cancelled = s.report.Total, list, false
	return s.fleet.putBatch(ctx, s.batch, b)
}

// publish sends what is missing. With a server that syncs each message many at
// a time are several times as fast as one by one.
func (s *submission) publish(ctx context.Context) error {
	priority := normal
	if s.opts.Urgent {
		priority = urgent
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(64)
	for i := range s.all {
		j := &s.all[i]
		if !s.missing[j.ID] {
			continue
		}
		if ctx.Err() != nil {
			break // somebody failed, and says so
		}
		delete(s.missing, j.ID) // the same utterance may come again
		s.report.Sent++
		if err := s.upload(ctx, j); err != nil {
			return errors.Join(err, group.Wait())
		}
		group.Go(func() error { return s.send(ctx, j, priority) })
	}
	return group.Wait()
}

func (s *submission) upload(ctx context.Context, j *job) error {
	if !j.Uploaded || s.uploaded[j.SHA256] {
		return nil
	}
	s.uploaded[j.SHA256] = true
	return s.fleet.put(ctx, j.audioName(), func() (io.ReadCloser, error) {
		return s.opts.FS.Open(ctx, j.Entry.AudioPath)
	})
}

func (s *submission) send(ctx context.Context, j *job, priority string) error {
	sent := *j
	sent.Cancels = s.cancels
	data, err := json.Marshal(sent)
	if err != nil {
		return err
	}
	// The server drops a second message of the same id for two minutes: that
	// spares work when an acknowledgement was lost, and nothing relies on it.
	id := fmt.Sprintf("%s.%s.%d", j.Batch, j.token(), s.cancels)
	return s.fleet.repeat(ctx, "submit", func(ctx context.Context) error {
		_, err := s.fleet.js.Publish(ctx, j.subject(priority), data, jetstream.WithMsgID(id), jetstream.WithExpectStream(jobsStream))
		return err
	})
}
