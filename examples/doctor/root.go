package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"

	"github.com/holdfast-go/holdfast/tempdir"
)

// rung is a step of tempdir.Open. Where one of its checks fails, the rungs
// above it may not have been reached.
type rung struct {
	name   string
	checks []string // as tempdir.CheckError names them
	good   string
}

// rungs are in the order of tempdir.Open.
var rungs = []rung{
	{"path", []string{"context", "absolute path", "characters", "length"}, "it has no character that an engine stumbles over, and is short enough"},
	{"folder", []string{"create", "resolve", "directory", "nesting", "ownership"}, "it is there, and yours"},
	{"synced folder", []string{"synced folder"}, "no OneDrive, Dropbox or the like watches it"},
	{"disk", []string{"volume", "local disk"}, "it lies on a disk of this machine"},
	{"free space", []string{"free space"}, ""},
	{"private", []string{"private"}, "nobody else can write into it"},
	{"operations", []string{"make a directory", "write a file", "rename over a file", "lock a file", "remove"}, "files can be written, renamed, locked and removed in it"},
}

// examineRoot tells what every check of tempdir.Open says. It returns nil
// where a job could not work.
func (d *doctor) examineRoot(ctx context.Context) *tempdir.Root {
	var refused refusals
	root, err := tempdir.Open(ctx, d.root, tempdir.Options{FS: d.fs, Logger: slog.New(&refused)})
	if err != nil {
		d.tellRefusals(ctx, err)
		return nil
	}
	if refused.dir != "" {
		d.tell(finding{Check: "default folder", Status: warning,
			Text: fmt.Sprintf("the first choice, %s, cannot be used: %v", refused.dir, refused.err),
			Do:   "jobs use the next one below; mend the first, or name a folder by -root"})
	}
	d.tell(finding{Check: "root", Status: ok, Text: "temporary files go to " + root.Path()})
	for _, r := range rungs {
		if r.name == "free space" {
			d.tellFree(ctx, root.Path())
			continue
		}
		d.tell(finding{Check: r.name, Status: ok, Text: r.good})
	}
	return root
}

// tellRefusals tells the failed checks, and which rungs below them are sound.
func (d *doctor) tellRefusals(ctx context.Context, err error) {
	failed := map[string][]finding{}
	var stranger []error
	dir := d.root
	for _, err := range each(err) {
		c, isCheck := errors.AsType[*tempdir.CheckError](err)
		if !isCheck {
			stranger = append(stranger, err)
			continue
		}
		dir = c.Path
		failed[c.Check] = append(failed[c.Check], finding{Check: c.Check, Status: problem, Text: c.Err.Error(), Do: c.Hint})
	}
	d.tell(finding{Check: "root", Status: note, Text: "temporary files were to go to " + dir})
	for _, r := range rungs {
		bad := false
		for _, name := range r.checks {
			for _, f := range failed[name] {
				d.tell(f)
				bad = true
			}
			delete(failed, name)
		}
		switch {
		case bad && !reachesOn(dir):
			d.tell(finding{Check: "folder", Status: note, Text: "the folder was not made, so nothing else can be said of it"})
			return
		case bad:
		case r.name == "free space":
			d.tellFree(ctx, dir)
		default:
			d.tell(finding{Check: r.name, Status: ok, Text: r.good})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(failed)) { // a check that this table does not know yet
		for _, f := range failed[name] {
			d.tell(f)
		}
	}
	for _, err := range stranger {
		d.tell(finding{Check: "folder", Status: problem, Text: err.Error(), Do: "choose another folder by -root"})
	}
}

// reachesOn tells whether tempdir.Open went on to look at the folder itself.
func reachesOn(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// tellFree warns where there is room for a job, but not for many: a model of
// NeMo is unpacked there, and a long recording into its WAV.
func (d *doctor) tellFree(ctx context.Context, dir string) {
	const plenty = 2 << 30
	_, err := tempdir.Open(ctx, dir, tempdir.Options{FS: d.fs, MinFree: plenty})
	for _, err := range each(err) {
		if c, isCheck := errors.AsType[*tempdir.CheckError](err); isCheck && c.Check == "free space" {
			d.tell(finding{Check: "free space", Status: warning, Text: c.Err.Error() + " for long recordings and big models", Do: c.Hint})
			return
		}
	}
	d.tell(finding{Check: "free space", Status: ok, Text: "2 GiB at least are free"})
}

// examineLeftovers takes what dead processes left behind, as each run does.
func (d *doctor) examineLeftovers(ctx context.Context, root *tempdir.Root) {
	swept, err := root.Sweep(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil || len(swept.Left) > 0:
		text := fmt.Sprintf("%d files or folders of dead processes cannot be removed", len(swept.Left))
		if err != nil {
			text += ": " + err.Error()
		}
		d.tell(finding{Check: "leftovers", Status: warning, Text: text, Do: "close the program that holds them; each run tries again"})
	case len(swept.Removed) > 0:
		d.tell(finding{Check: "leftovers", Status: ok, Text: fmt.Sprintf("removed what %d dead processes had left", len(swept.Removed))})
	default:
		d.tell(finding{Check: "leftovers", Status: ok, Text: "no dead process has left anything"})
	}
}

// refusals is a log handler that catches the first default folder that
// tempdir.Open refused and passed over.
type refusals struct {
	dir string
	err any
}

func (r *refusals) Enabled(context.Context, slog.Level) bool { return true }
func (r *refusals) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *refusals) WithGroup(string) slog.Handler            { return r }

func (r *refusals) Handle(_ context.Context, record slog.Record) error {
	if r.dir != "" {
		return nil
	}
	record.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "dir":
			r.dir = a.Value.String()
		case "err":
			r.err = a.Value.Any()
		}
		return true
	})
	return nil
}

// each takes the error of tempdir.Open apart.
func each(err error) []error {
	if many, ok := errors.AsType[interface {
		error
		WrappedErrors() []error
	}](err); ok {
		return many.WrappedErrors()
	}
	return []error{err}
}
