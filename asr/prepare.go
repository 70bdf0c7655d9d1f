package asr

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/holdfast-go/holdfast/internal/audio"
	"github.com/holdfast-go/holdfast/manifest"
)

// source is a recording on its way into utterances: consecutive entries of a
// manifest are often stretches of one long file, which is then hashed, copied
// and decoded once.
type source struct {
	path    string
	size    int64
	changed time.Time
	sum     string // SHA-256 of the file
	staged  string // its copy in the scope; "" until it is needed
	info    audio.Info
}

// errWaiting says that the same audio waits in the batch already: its
// transcript will be this entry's too.
var errWaiting = errors.New("the same audio is in the batch")

// prepare makes an utterance of an entry, or finds its transcript in the
// journal. Its errors concern this entry alone, unless ctx is done.
func (r *runner) prepare(ctx context.Context, entry manifest.Entry) (task, *Transcript, error) {
	if entry.AudioPath == "" {
		return task{}, nil, fmt.Errorf("the entry names no audio file: %w", ErrBadAudio)
	}
	if err := r.open(ctx, entry.AudioPath); err != nil {
		return task{}, nil, err
	}
	for range 2 {
		key := r.key(entry)
		if r.waiting[key] {
			return task{}, nil, errWaiting
		}
		id := key[:16]
		if kept, ok := r.opts.Journal.Lookup(key); ok {
			t, err := fromEntry(id, entry, kept)
			if err == nil {
				return task{}, &t, nil
			}
			r.log.Warn("journal entry is not used", "err", err)
		}
		again, err := r.stage(ctx)
		if err != nil {
			return task{}, nil, err
		}
		if again { // the file is another than the one that was hashed
			continue
		}
		u := Utterance{ID: id, Language: entry.Lang, Source: entry}
		if u.Path, u.Duration, err = r.cut(ctx, entry); err != nil {
			return task{}, nil, err
		}
		return task{Utterance: u, key: key}, nil, nil
	}
	return task{}, nil, errors.New("the file changed while it was read; try again when it is complete")
}

// key identifies a result: the audio's content, the stretch of it, and all that
// decides how the engine hears it.
func (r *runner) key(e manifest.Entry) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%d\n%s\n%s", r.source.sum, e.Offset, e.Duration, e.Lang, r.about.Fingerprint))
	return hex.EncodeToString(sum[:])
}

// open makes path the current source and hashes it, unless it is that already.
func (r *runner) open(ctx context.Context, path string) error {
	info, err := r.opts.FS.Stat(ctx, path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("it is not a regular file (%v): %w", info.Mode().Type(), ErrBadAudio)
	}
	if s := r.source; s != nil && s.path == path && s.size == info.Size() && s.changed.Equal(info.ModTime()) {
		return nil
	}
	r.release()
	sum, err := r.hash(ctx, path)
	if err != nil {
		return err
	}
	r.source = &source{path: path, size: info.Size(), changed: info.ModTime(), sum: sum}
	return nil
}

// release removes the staged copy of the current source.
func (r *runner) release() {
	if r.source != nil && r.source.staged != "" {
		r.discard(r.source.staged)
	}
	r.source = nil
}

func (r *runner) hash(ctx context.Context, path string) (string, error) {
	f, err := r.opts.FS.Open(ctx, path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	for {
		_, err := io.CopyN(sum, f, 8<<20)
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(sum.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
	}
}

// stage copies the current source into the scope and reads its header. It asks
// for another look at the journal if what was staged is not what was hashed.
func (r *runner) stage(ctx context.Context) (again bool, err error) {
	s := r.source
	if s.staged != "" {
		return false, nil
	}
	staged, err := r.scope.Stage(ctx, s.path)
	if err != nil {
		return false, err
	}
	s.staged = staged.Path
	if s.info, err = inspect(ctx, r.opts.FS, staged.Path); err != nil {
		r.release()
		return false, err
	}
	again = staged.SHA256 != s.sum
	s.sum = staged.SHA256
	return again, nil
}

// cut makes the file that the engine gets: the staged one if that is what it
// needs, or else a converted copy of the entry's stretch.
func (r *runner) cut(ctx context.Context, e manifest.Entry) (path string, length time.Duration, err error) {
	s := r.source
	if e.Offset >= s.info.Duration {
		return "", 0, fmt.Errorf("offset %v is not inside the recording, which lasts %v: %w", e.Offset, s.info.Duration, ErrBadAudio)
	}
	part := s.info
	if e.Offset > 0 || e.Duration > 0 && e.Duration < s.info.Duration {
		part = s.info.Slice(e.Offset, e.Duration)
	}
	if part.Ready() {
		path, s.staged = s.staged, ""
		return path, part.Duration, nil
	}
	path, err = r.convert(ctx, part)
	return path, part.Duration, err
}

func (r *runner) convert(ctx context.Context, part audio.Info) (path string, err error) {
	in, err := r.opts.FS.Open(ctx, r.source.staged)
	if err != nil {
		return "", err
	}
	defer in.Close()
	r.files++
	out, err := r.opts.FS.Create(ctx, r.scope.Path(fmt.Sprintf("u%d.wav", r.files)))
	if err != nil {
		return "", err
	}
	err = errors.Join(audio.Convert(out, in, part), out.Close())
	if err != nil {
		r.discard(out.Name())
		return "", badAudio(err)
	}
	return out.Name(), nil
}
