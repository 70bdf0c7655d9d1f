package tempdir

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/holdfast-go/holdfast/internal/host"
)

// Swept tells what a sweep did; the paths are those of scopes.
type Swept struct {
	Removed []string // dead owners' scopes that are gone
	Live    []string // in use, or kept, or not known to be dead
	Left    []string // paths that could not be removed; the next sweep tries again
}

// Sweep removes the scopes whose processes are dead. Of two sweeps at a time
// each scope is one's. A scope counts as dead when its lock is free and its
// recorded process does not run. The record of another machine whose locks may
// not show here (the boot id differs too) is believed for Options.MaxAge.
//
// For what is held a sweep waits 2 s in all: the next one tries again. The error
// says why something was left; a failed sweep is no reason to fail a job.
func (r *Root) Sweep(ctx context.Context) (Swept, error) {
	var swept Swept
	var errs *multierror.Error
	begin := time.Now()
	ids, err := r.hurried(begin).scopes(ctx)
	if err != nil {
		return swept, err
	}
	if err := r.hurried(begin).tidy(ctx); err != nil {
		errs = multierror.Append(errs, err)
	}
	for _, id := range ids {
		if err := r.hurried(begin).sweep(ctx, id, &swept); err != nil {
			errs = multierror.Append(errs, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if errs != nil {
		errs.ErrorFormat = formatLeft
	}
	return swept, errs.ErrorOrNil()
}

// hurried gives the root with what a sweep that began then has left of its
// patience as the budget. One try there always is.
func (r *Root) hurried(begin time.Time) *Root {
	const patience = 2 * time.Second // most locks are gone by then
	left := patience - time.Since(begin)
	if left <= 0 {
		left = -1
	}
	hurried := *r
	if budget := &hurried.opts.FS.Policy.Budget; *budget == 0 || *budget > left {
		*budget = left
	}
	return &hurried
}

func formatLeft(errs []error) string {
	const shown = 5
	if len(errs) == 1 {
		return errs[0].Error()
	}
	lines := []string{fmt.Sprintf("tempdir: %d things are left to the next sweep", len(errs))}
	for _, err := range errs[:min(shown, len(errs))] {
		lines = append(lines, "  - "+err.Error())
	}
	if more := len(errs) - shown; more > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// tidy removes what processes that were killed within Open left.
func (r *Root) tidy(ctx context.Context) error {
	const age = time.Hour // nobody is in Open that long
	fs := r.opts.FS
	entries, err := fs.ReadDir(ctx, r.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		id, ok := strings.CutPrefix(e.Name(), probePrefix)
		if !ok || !isID(id) {
			continue
		}
		if info, err := e.Info(); err == nil && info.IsDir() && time.Since(info.ModTime()) > age {
			if err := fs.RemoveAll(ctx, filepath.Join(r.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return errors.Join(fs.RemoveAbandoned(ctx, r.dir, age), fs.RemoveAbandoned(ctx, filepath.Join(r.dir, scopesName), age))
}

// scopes lists the ids of which anything is there: directory, record or lock.
func (r *Root) scopes(ctx context.Context) ([]string, error) {
	entries, err := r.opts.FS.ReadDir(ctx, filepath.Join(r.dir, scopesName))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range entries {
		id := strings.TrimSuffix(strings.TrimSuffix(e.Name(), ".lock"), ".json")
		if isID(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

func (r *Root) sweep(ctx context.Context, id string, swept *Swept) error {
	fs := r.opts.FS
	dir := filepath.Join(r.dir, scopesName, id)
	unlock, ok, err := fs.TryLock(ctx, dir+".lock")
	if err != nil {
		swept.Left = append(swept.Left, dir)
		return err
	}
	if !ok {
		swept.Live = append(swept.Live, dir)
		return nil
	}
	dead, err := r.dead(ctx, dir)
	if err != nil {
		swept.Left = append(swept.Left, dir)
		return errors.Join(err, unlock())
	}
	if !dead {
		swept.Live = append(swept.Live, dir)
		return unlock()
	}
	if err := removeScope(ctx, fs, dir, unlock); err != nil {
		swept.Left = append(swept.Left, leftovers(dir, err)...)
		return err
	}
	swept.Removed = append(swept.Removed, dir)
	return nil
}

// dead judges a scope whose lock the caller holds. An error means that its
// record is there and could not be read.
func (r *Root) dead(ctx context.Context, dir string) (bool, error) {
	b, err := r.opts.FS.ReadFile(ctx, dir+".json")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	var rec owner
	if err == nil {
		err = json.Unmarshal(b, &rec)
	}
	switch {
	case err != nil:
		// No record, or half of one after a power cut. On a local disk the
		// free lock says enough.
		return !r.network || r.old(ctx, dir), nil
	case rec.Kept:
		return r.old(ctx, dir), nil
	case rec.Left:
		return true, nil
	}
	switch host.Of(rec.Process) {
	case host.Alive:
		return false, nil // somebody removed its lock file
	case host.Dead:
		return true, nil
	}
	// Another host's name, but the same boot of the same kernel: a container
	// beside us, whose lock would show.
	if self := host.Self(); self.Boot != "" && self.Boot == rec.Boot {
		return true, nil
	}
	return r.old(ctx, dir), nil
}

func (r *Root) old(ctx context.Context, dir string) bool {
	info, err := r.opts.FS.Lstat(ctx, dir)
	if err != nil {
		info, err = r.opts.FS.Lstat(ctx, dir+".json")
	}
	return err != nil || time.Since(info.ModTime()) > r.opts.maxAge()
}
