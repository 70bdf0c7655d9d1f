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

// busyError says that the same audio is with the engine already: its transcript
// will be this entry's too.
type busyError struct{ done <-chan struct{} }

func (*busyError) Error() string { return "the same audio is being transcribed" }

// prepare puts an entry's utterances into the next batch, or settles it from the
// journal. Its errors concern this entry alone, unless ctx is done.
func (f *feeder) prepare(ctx context.Context, entry manifest.Entry) error {
	if entry.AudioPath == "" {
		return fmt.Errorf("the entry names no audio file: %w", ErrBadAudio)
	}
	if err := f.open(ctx, entry.AudioPath); err != nil {
		return err
	}
	for { // a second time if the file has changed since it was hashed; then it is staged
		t := f.task(entry)
		if done := f.busy.until(t.key); done != nil {
			return &busyError{done}
		}
		if known, ok := f.lookup(f.opts.Journal, t); ok {
			f.pass(ctx, outcome{transcript: known})
			return nil
		}
		again, err := f.stage(ctx)
		if err != nil {
			return err
		}
		if !again {
			return f.enqueue(ctx, t)
		}
	}
}

// task names an entry's utterance.
func (f *feeder) task(entry manifest.Entry) task {
	key := f.key(entry)
	return task{Utterance: Utterance{ID: key[:16], Language: entry.Lang, Source: entry}, key: key}
}

// key identifies a result: the audio's content, the stretch of it, and all that
// decides how the engine hears it.
func (f *feeder) key(e manifest.Entry) string {
	text := fmt.Appendf(nil, "%s\n%d\n%d\n%s\n%s", f.source.sum, e.Offset, e.Duration, e.Lang, f.about.Fingerprint)
	for _, name := range f.about.Fields {
		if value, ok := e.Extra.Get(name); ok {
			text = fmt.Appendf(text, "\n%s=%s", name, value)
		}
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (f *feeder) lookup(journal *manifest.Journal, t task) (Transcript, bool) {
	kept, ok := journal.Lookup(t.key)
	if !ok {
		return Transcript{}, false
	}
	transcript, err := fromEntry(t.ID, t.Source, kept)
	if err != nil {
		f.log.Warn("journal entry is not used", "err", err)
		return Transcript{}, false
	}
	return transcript, true
}

// open makes path the current source and hashes it, unless it is that already.
func (f *feeder) open(ctx context.Context, path string) error {
	info, err := f.opts.FS.Stat(ctx, path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("it is not a regular file (%v): %w", info.Mode().Type(), ErrBadAudio)
	}
	if s := f.source; s != nil && s.path == path && s.size == info.Size() && s.changed.Equal(info.ModTime()) {
		return nil
	}
	f.release()
	sum, err := f.hash(ctx, path)
	if err != nil {
		return err
	}
	f.source = &source{path: path, size: info.Size(), changed: info.ModTime(), sum: sum}
	return nil
}

// release removes the staged copy of the current source.
func (f *feeder) release() {
	if f.source != nil && f.source.staged != "" {
		f.discard(f.source.staged)
	}
	f.source = nil
}

func (f *feeder) hash(ctx context.Context, path string) (string, error) {
	in, err := f.opts.FS.Open(ctx, path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	sum := sha256.New()
	for {
		_, err := io.CopyN(sum, in, 8<<20)
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
func (f *feeder) stage(ctx context.Context) (again bool, err error) {
	s := f.source
	if s.staged != "" {
		return false, nil
	}
	staged, err := f.scope.Stage(ctx, s.path)
	if err != nil {
		return false, err
	}
	s.staged = staged.Path
	s.info, err = inspect(ctx, f.opts.FS, staged.Path)
	if isForeign(err) {
		err = f.decode(ctx, s, err)
	}
	if err != nil {
		f.release()
		return false, err
	}
	again = staged.SHA256 != s.sum
	s.sum = staged.SHA256
	return again, nil
}

// enqueue makes the file that the engine gets, or several of a recording that is
// too long for it.
func (f *feeder) enqueue(ctx context.Context, t task) error {
	s, e := f.source, t.Source
	if e.Offset >= s.info.Duration {
		return fmt.Errorf("offset %v is not inside the recording, which lasts %v: %w", e.Offset, s.info.Duration, ErrBadAudio)
	}
	stretch := s.info
	if e.Offset > 0 || e.Duration > 0 && e.Duration < s.info.Duration {
		stretch = s.info.Slice(e.Offset, e.Duration)
	}
	t.Duration = stretch.Duration
	if f.opts.MaxAudio > 0 && stretch.Duration > f.opts.MaxAudio {
		return f.cut(ctx, t, stretch)
	}
	if stretch.Ready() {
		t.Path, s.staged = s.staged, "" // it is what the engine needs
	} else {
		var err error
		if t.Path, err = f.convert(ctx, stretch); err != nil {
			return err
		}
	}
	f.busy.begin(t.key)
	f.add(ctx, t)
	return nil
}

// convert makes a file of a stretch of the current source.
func (f *feeder) convert(ctx context.Context, stretch audio.Info) (path string, err error) {
	in, err := f.opts.FS.Open(ctx, f.source.staged)
	if err != nil {
		return "", err
	}
	defer in.Close()
	f.files++
	out, err := f.opts.FS.Create(ctx, f.scope.Path(fmt.Sprintf("u%d.wav", f.files)))
	if err != nil {
		return "", err
	}
	err = errors.Join(audio.Convert(out, in, stretch), out.Close())
	if err != nil {
		f.discard(out.Name())
		return "", badAudio(err)
	}
	return out.Name(), nil
}
