package manifest

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/holdfast-go/holdfast/retry"
)

// ErrInUse says that somebody else has the journal open for writing.
var ErrInUse = errors.New("another writer has it open: wait for it to end, or use a journal of your own")

const lockSuffix = ".lock"

// Journal keeps results, each on disk before Append returns. It is a manifest
// too: a line is an entry with "_key", "_n" and "_crc" behind its own fields,
// which NeMo ignores and which find every damage to the file.
//
// It is safe for concurrent use. All records are in memory as well.
type Journal struct {
	fs      retry.FS
	path    string
	maxLine int
	found   recovery // at OpenJournal; its records are moved into records
	unlock  func() error

	mu         sync.Mutex
	idle       sync.Cond
	open       bool
	committing bool            // somebody leads
	queue      *batch          // what the next commit writes
	clears     []chan struct{} // calls of Clear that wait for the lead
	records    []*record
	index      map[string]int

	file tail      // of whoever leads
	pace pacemaker // likewise
}

// OpenJournal opens a journal for writing; the first record creates it where it
// is missing or empty. What is no journal is refused and left as it is. Only one
// writer can have it, [ErrInUse]; path + ".lock" is the lock file, which stays.
// A torn end, as a crash leaves it, is cut off, see [Journal.Torn]; whole lines
// that are damaged stay and are reported by [Journal.Damaged].
func OpenJournal(ctx context.Context, path string, o Options) (*Journal, error) {
	path, err := realPath(path)
	if err != nil {
		return nil, err
	}
	unlock, ok, err := o.FS.TryLock(ctx, path+lockSuffix)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("journal %s: %w", path, ErrInUse)
	}
	j := &Journal{fs: o.FS, path: path, maxLine: o.maxLine(), unlock: unlock}
	j.idle.L = &j.mu
	if err := j.load(ctx); err != nil {
		return nil, errors.Join(err, unlock())
	}
	j.open = true
	return j, nil
}

// realPath makes two names of one file the same, so that they share a lock,
// also where it is not there yet.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for range 40 { // links to links, as many as Linux follows
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return real, nil
		}
		if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
			path = filepath.Join(dir, filepath.Base(path))
		}
		to, err := os.Readlink(path)
		if err != nil {
			return path, nil
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return "", fmt.Errorf("%s: too many symbolic links", path)
}

func (j *Journal) load(ctx context.Context) error {
	info, err := j.fs.Lstat(ctx, j.path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		// The first record makes the file, whole or not at all. So a journal
		// begins with a good line, whatever a power cut does to it, and a file
		// that does not is somebody else's.
		j.index = make(map[string]int)
		j.file = tail{fs: j.fs, path: j.path, next: 1}
		return nil
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait, and a device can be no journal
		return fmt.Errorf("journal %s: %w", j.path, errNoJournal)
	}
	f, err := j.fs.OpenAppend(ctx, j.path)
	if err != nil {
		return err
	}
	j.found, err = recoverJournal(f, j.maxLine)
	if err == nil {
		err = j.repair(ctx, f)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("journal %s: %w", j.path, err), f.Close())
	}
	j.index = make(map[string]int, len(j.found.records))
	for i := range j.found.records {
		j.remember(&j.found.records[i])
	}
	j.found.records = nil
	for _, d := range j.found.damaged {
		d.Path = j.path
	}
	return nil
}

// repair makes the file end where the next line is to begin, and what is in it
// durable: records of a killed process may be in the page cache only.
func (j *Journal) repair(ctx context.Context, f *retry.File) error {
	if j.found.torn > 0 {
		if err := f.Truncate(j.found.end); err != nil {
			return err
		}
	}
	size := j.found.end
	if j.found.unended {
		if _, err := f.Write([]byte("\n")); err != nil {
			return err
		}
		size++
	}
	sum, err := sumOf(io.NewSectionReader(f, 0, size), size)
	if err != nil {
		return err
	}
	j.file = tail{fs: j.fs, path: j.path, file: f, size: size, sum: sum, next: j.found.next}
	return j.file.sync(ctx)
}

// sumOf is the checksum of exactly size bytes.
func sumOf(r io.Reader, size int64) (uint32, error) {
	sum := crc32.NewIEEE()
	n, err := io.Copy(sum, r)
	if err == nil && n != size {
		err = fmt.Errorf("%d bytes where %d are expected: %w", n, size, io.ErrUnexpectedEOF)
	}
	return sum.Sum32(), err
}

// remember adds a durable record. A later one of the same key takes the place
// of the earlier.
func (j *Journal) remember(r *record) {
	if r.key != "" {
		if at, ok := j.index[r.key]; ok {
			j.records[at] = r
			return
		}
		j.index[r.key] = len(j.records)
	}
	j.records = append(j.records, r)
}

// Lookup returns the entry that was appended last under key.
func (j *Journal) Lookup(key string) (Entry, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	at, ok := j.index[key]
	if !ok {
		return Entry{}, false
	}
	return j.records[at].entry, true
}

// All yields key and entry of every record, from memory: one for each key,
// the last that was appended, in the order in which the keys came. A line
// that somebody wrote by hand has the key "" if it has none.
func (j *Journal) All() iter.Seq2[string, Entry] {
	return func(yield func(string, Entry) bool) {
		for i := 0; ; i++ {
			j.mu.Lock()
			if i >= len(j.records) {
				j.mu.Unlock()
				return
			}
			r := j.records[i]
			j.mu.Unlock()
			if !yield(r.key, r.entry) {
				return
			}
		}
	}
}

// Path gives the journal's file, absolute and free of symbolic links.
func (j *Journal) Path() string { return j.path }

// Torn is how many bytes were cut off the end when the journal was opened:
// the beginning of a record that was never acknowledged.
func (j *Journal) Torn() int64 { return j.found.torn }

// Damaged are the lines that were no good records when the journal was opened.
// They stay in the file and are left out of Lookup, All and Publish.
func (j *Journal) Damaged() []*LineError {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.found.damaged)
}

// Unchecked is how many lines had no checksum when the journal was opened:
// somebody wrote them by hand. They count as records.
func (j *Journal) Unchecked() int { return j.found.unchecked }

// Publish writes the records as a plain manifest, whole or not at all.
func (j *Journal) Publish(ctx context.Context, path string) error {
	if j.path == "" {
		return errClosed
	}
	if own, err := j.isOwn(path); err != nil {
		return err
	} else if own {
		return fmt.Errorf("journal %s: cannot be published under its own name", j.path)
	}
	entries := func(yield func(Entry) bool) {
		for _, e := range j.All() {
			if !yield(e) {
				return
			}
		}
	}
	return Save(ctx, path, entries, Options{FS: j.fs})
}

// isOwn tells whether path is a name of the journal. Names alone do not say so
// where a folder is mounted twice, or upper and lower case are one.
func (j *Journal) isOwn(path string) (bool, error) {
	path, err := realPath(path)
	if err != nil || path == j.path {
		return err == nil, err
	}
	mine, err := os.Stat(j.path)
	if err != nil { // there is no record yet
		return false, nil
	}
	other, err := os.Stat(path)
	return err == nil && os.SameFile(mine, other), nil
}

// Close waits for what is being written and gives the journal free for another
// writer. Everything that was acknowledged is on disk already.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.open {
		return nil
	}
	j.open = false
	for j.committing {
		j.idle.Wait()
	}
	return errors.Join(j.file.close(), j.unlock())
}

var errClosed = fmt.Errorf("journal: %w", os.ErrClosed)
