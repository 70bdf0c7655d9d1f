package manifest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Clear removes all records, from the disk and from memory, for a journal whose
// records have gone elsewhere: a worker's that has handed its results on, which
// would otherwise grow for ever. What is appended meanwhile is cleared or comes
// after it. The journal stays open, and its next record makes the file anew.
//
// A crash leaves all records or none. After an error there is no promise either
// way; Clear may be called again, and Append goes on with what is there.
func (j *Journal) Clear(ctx context.Context) error {
	if err := j.takeLead(); err != nil {
		return err
	}
	gone, err := j.file.remove(context.WithoutCancel(ctx))

	j.mu.Lock()
	defer j.mu.Unlock()
	if gone {
		j.records, j.index, j.found.damaged = nil, make(map[string]int), nil
	}
	j.handOn()
	if err != nil {
		return fmt.Errorf("journal %s: it could not be cleared: %w", j.path, err)
	}
	return nil
}

// takeLead waits for the batch that is being written, and lets no other begin.
func (j *Journal) takeLead() error {
	j.mu.Lock()
	if !j.open {
		j.mu.Unlock()
		return errClosed
	}
	var turn chan struct{}
	if j.committing {
		turn = make(chan struct{})
		j.clears = append(j.clears, turn)
	}
	j.committing = true
	j.mu.Unlock()
	if turn != nil {
		<-turn
	}
	return nil
}

// remove takes the file away. Where that fails after all, the file is trusted
// again only once its content was compared, see renew.
func (t *tail) remove(ctx context.Context) (gone bool, err error) {
	err = t.close()
	if err == nil {
		err = t.fs.Remove(ctx, t.path)
	}
	if err != nil {
		_, missing := t.fs.Lstat(ctx, t.path)
		if gone = errors.Is(missing, os.ErrNotExist); !gone {
			return false, err
		}
	}
	*t = tail{fs: t.fs, path: t.path, next: 1, buf: t.buf}
	return true, errors.Join(err, t.fs.SyncDir(ctx, filepath.Dir(t.path)))
}
