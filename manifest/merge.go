package manifest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// mergeBatch is how many records Merge makes durable at a time.
const mergeBatch = 512

// Merge adds the records of other journals, such as those of shards. Of two
// records with one key the one that is here already stays, so that Merge may
// be repeated after a failure. The other journals are only read; their damaged
// lines, and lines without a key, join those of [Journal.Damaged].
//
// A journal that was opened but never got a record is no file yet. Its lock file
// tells; where that is missing too, the name is wrong or its worker has not begun,
// and the error is fs.ErrNotExist.
func (j *Journal) Merge(ctx context.Context, paths ...string) error {
	if j.path == "" {
		return errClosed
	}
	for _, path := range paths {
		if err := j.merge(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) merge(ctx context.Context, path string) error {
	f, err := j.fs.Open(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return j.neverWritten(ctx, path, err)
	}
	if err != nil {
		return err
	}
	found, err := recoverJournal(f, j.maxLine)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("journal %s: %w", path, err)
	}
	for _, d := range found.damaged {
		d.Path = path
	}
	latest := make(map[string]int, len(found.records))
	for i, r := range found.records {
		latest[r.key] = i
	}
	var items []item
	for i := range found.records {
		r := &found.records[i]
		switch {
		case r.key == "":
			text := r.entry.AppendJSON(nil)
			found.damaged = append(found.damaged, newLineError(path, r.line, text, errors.New("a line without a key")))
			continue
		case latest[r.key] != i:
			continue
		}
		items = append(items, newItem(r.key, r.entry))
	}
	for len(items) > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n := min(len(items), mergeBatch)
		if missing := j.unknown(items[:n]); len(missing) > 0 {
			if err := j.commitItems(ctx, missing); err != nil {
				return err
			}
		}
		items = items[n:]
	}
	j.mu.Lock()
	j.found.damaged = append(j.found.damaged, found.damaged...)
	j.mu.Unlock()
	return nil
}

// neverWritten is nil for a journal that somebody has opened: no result, no file.
func (j *Journal) neverWritten(ctx context.Context, path string, missing error) error {
	real, err := realPath(path)
	if err != nil {
		return err
	}
	_, err = j.fs.Lstat(ctx, real+lockSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("journal %s: nobody has opened a journal of this name: check the name: %w", path, missing)
	}
	return err
}

// unknown are the items whose keys the journal does not have.
func (j *Journal) unknown(items []item) []item {
	j.mu.Lock()
	defer j.mu.Unlock()
	var missing []item
	for _, it := range items {
		if _, ok := j.index[it.key]; !ok {
			missing = append(missing, it)
		}
	}
	return missing
}
