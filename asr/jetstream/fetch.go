package jetstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/tempdir"
)

// recording is a checked copy of a job's audio in the worker's scope.
type recording struct{ sum, path string }

// fetch brings the audio of a job into the scope and checks that it is what was
// submitted. Its errors concern this job.
func (s *slot) fetch(ctx context.Context, j *job) (string, error) {
	if s.recent.sum == j.SHA256 {
		return s.recent.path, nil
	}
	s.forget()
	staged, err := s.stage(ctx, j)
	if err == nil && staged.SHA256 != j.SHA256 {
		err = errors.Join(fmt.Errorf("its checksum here is %s, but %s was submitted", staged.SHA256, j.SHA256), s.discard(staged.Path))
	}
	if err != nil {
		return "", &asr.UtteranceError{ID: j.ID, Path: j.Entry.AudioPath, Err: err}
	}
	s.recent = recording{sum: staged.SHA256, path: staged.Path}
	return staged.Path, nil
}

func (s *slot) stage(ctx context.Context, j *job) (staged tempdir.Staged, err error) {
	switch {
	case j.Uploaded:
		err = s.fleet.read(ctx, j.audioName(), func(r io.Reader) (err error) {
			staged, err = s.scope.StageReader(ctx, r, path.Ext(j.Entry.AudioPath))
			return err
		})
	case isURL(j.Entry.AudioPath):
		staged, err = s.download(ctx, j.Entry.AudioPath)
	default:
		staged, err = s.scope.Stage(ctx, j.Entry.AudioPath)
	}
	return staged, err
}

// downloadTimeout is how long one download may take.
const downloadTimeout = 30 * time.Minute

func (s *slot) download(ctx context.Context, url string) (tempdir.Staged, error) {
	ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return tempdir.Staged{}, err
	}
	client := s.opts.Client
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return tempdir.Staged{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return tempdir.Staged{}, fmt.Errorf("%s: the server said %s", url, response.Status)
	}
	return s.scope.StageReader(ctx, response.Body, path.Ext(request.URL.Path))
}

// forget removes the copy that was kept for the next job.
func (s *slot) forget() {
	if s.recent.path != "" {
		if err := s.discard(s.recent.path); err != nil {
			s.log.Warn("staged file", "path", s.recent.path, "err", err)
		}
	}
	s.recent = recording{}
}

func (s *slot) discard(path string) error {
	return s.opts.Run.FS.Remove(context.Background(), path)
}
