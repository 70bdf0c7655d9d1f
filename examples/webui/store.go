package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// store is the jobs' folder. That no other server uses it is ensured by the
// lock of the journal beside it.
type store struct {
	fs  retry.FS
	dir string
	log *slog.Logger
}

const recordName = "job.json"

// newID makes a name that nobody guesses and every file system takes.
func newID() string { return strings.ToLower(rand.Text()) }

// isID tells a name of newID's from one that somebody has chosen.
func isID(name string) bool {
	return len(name) == len(rand.Text()) && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// load reads all jobs, and clears away those that are none: an upload whose
// server was killed before it was complete, a job that was not wholly deleted.
// What else lies in the folder is somebody's, and stays.
func (s store) load(ctx context.Context) ([]*job, error) {
	if err := s.fs.MkdirAll(ctx, s.dir); err != nil {
		return nil, err
	}
	entries, err := s.fs.ReadDir(ctx, s.dir)
	if err != nil {
		return nil, err
	}
	var jobs []*job
	for _, e := range entries {
		if !isID(e.Name()) {
			continue
		}
		dir := filepath.Join(s.dir, e.Name())
		data, err := s.fs.ReadFile(ctx, filepath.Join(dir, recordName))
		if errors.Is(err, fs.ErrNotExist) && e.IsDir() {
			if err := s.fs.RemoveAll(ctx, dir); err != nil {
				s.log.Warn("remains of a job", "dir", dir, "err", err)
			}
			continue
		}
		var r record
		if err == nil {
			err = json.Unmarshal(data, &r)
		}
		if err == nil && r.ID != e.Name() {
			err = errors.New("it is the record of another job")
		}
		if err != nil {
			s.log.Warn("job is left out", "dir", dir, "err", err)
			continue
		}
		if err := s.fs.RemoveAbandoned(ctx, dir, 0); err != nil {
			s.log.Warn("job's folder", "dir", dir, "err", err)
		}
		jobs = append(jobs, s.job(r))
	}
	return jobs, nil
}

func (s store) job(r record) *job {
	dir := filepath.Join(s.dir, r.ID)
	return &job{record: r, dir: dir, history: &history{fs: s.fs, path: filepath.Join(dir, "events.jsonl")}}
}

// create makes a job of a staged upload. When it returns nil, a power cut
// does not take it back.
func (s store) create(ctx context.Context, scope *tempdir.Scope, staged tempdir.Staged, r record) (*job, error) {
	j := s.job(r)
	err := s.fs.MkdirAll(ctx, j.dir)
	if err == nil {
		err = scope.Publish(ctx, filepath.Base(staged.Path), j.audio())
	}
	if err == nil {
		err = s.write(ctx, j.dir, r)
	}
	if err != nil {
		return nil, errors.Join(err, s.fs.RemoveAll(context.WithoutCancel(ctx), j.dir))
	}
	return j, nil
}

func (s store) write(ctx context.Context, dir string, r record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return s.fs.WriteFile(ctx, filepath.Join(dir, recordName), append(data, '\n'))
}

// forget ends a job: without its record there is none, whatever else cannot be
// removed yet.
func (s store) forget(ctx context.Context, j *job) error {
	return s.fs.Remove(ctx, filepath.Join(j.dir, recordName))
}

// clear removes what is left of a job that is forgotten.
func (s store) clear(ctx context.Context, j *job) {
	if err := s.fs.RemoveAll(ctx, j.dir); err != nil {
		s.log.Warn("job's folder is left to the next start", "dir", j.dir, "err", err)
	}
}
