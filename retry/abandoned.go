package retry

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"
)

// RemoveAbandoned removes the files of [Pending] that killed processes left in
// dir: those that were not written to for age. An age of 0 is for a caller who
// knows that nobody else writes into dir, because of a lock for instance. Other
// files are left alone.
func (s FS) RemoveAbandoned(ctx context.Context, dir string, age time.Duration) error {
	entries, err := s.ReadDir(ctx, dir)
	if isNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var failed error
	for _, e := range entries {
		if !isPendingName(e.Name()) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) { // its writer is done
			continue
		}
		if err == nil && info.Mode().IsRegular() && (age <= 0 || time.Since(info.ModTime()) >= age) {
			err = s.Remove(ctx, filepath.Join(dir, e.Name()))
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// isPendingName knows the names that NewPending gives.
func isPendingName(name string) bool {
	random, ok := strings.CutPrefix(name, ".holdfast-")
	if !ok {
		return false
	}
	random, ok = strings.CutSuffix(random, ".tmp")
	b, err := hex.DecodeString(random)
	return ok && err == nil && len(b) == 8
}
