package asr

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
)

// audioExtensions is what Files takes in a folder. A file that is named
// outright is taken whatever it is called.
var audioExtensions = []string{
	".wav", ".wave", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".oga", ".opus", ".aiff", ".aif", ".wma", ".amr",
	".mp4", ".m4v", ".mkv", ".webm", ".mov", ".avi",
}

// Files makes the input of a run from names: of recordings, of folders (whose
// recordings are taken in the order of their names, subfolders too), and of
// NeMo manifests (.json, .jsonl; their relative paths count from the
// manifest's folder). What cannot be read is a [*UtteranceError] in its place
// and does not end the sequence.
func Files(ctx context.Context, paths ...string) iter.Seq2[manifest.Entry, error] {
	return func(yield func(manifest.Entry, error) bool) {
		for _, path := range paths {
			if !files(ctx, path, yield) {
				return
			}
		}
	}
}

func files(ctx context.Context, path string, yield func(manifest.Entry, error) bool) bool {
	fail := func(err error) bool {
		return yield(manifest.Entry{AudioPath: path}, &UtteranceError{Path: path, Err: err})
	}
	info, err := retry.FS{}.Stat(ctx, path)
	if err != nil {
		return fail(err)
	}
	switch ext := strings.ToLower(filepath.Ext(path)); {
	case info.IsDir():
		found := false
		more := folder(ctx, path, func(e manifest.Entry, err error) bool {
			found = true
			return yield(e, err)
		})
		if more && !found {
			return fail(fmt.Errorf("the folder has no audio: %w", ErrBadAudio))
		}
		return more
	case ext == ".json" || ext == ".jsonl":
		return manifestFile(ctx, path, yield)
	}
	return yield(manifest.Entry{AudioPath: path}, nil)
}

func folder(ctx context.Context, dir string, yield func(manifest.Entry, error) bool) bool {
	entries, err := retry.FS{}.ReadDir(ctx, dir)
	if err != nil {
		return yield(manifest.Entry{AudioPath: dir}, &UtteranceError{Path: dir, Err: err})
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		more := true
		switch {
		case strings.HasPrefix(e.Name(), "."): // other programs' private files
		case e.IsDir():
			more = folder(ctx, path, yield)
		case slices.Contains(audioExtensions, strings.ToLower(filepath.Ext(path))):
			more = yield(manifest.Entry{AudioPath: path}, nil)
		}
		if !more {
			return false
		}
	}
	return true
}

// manifestFile loads a manifest whole, so that no open handle of a user's file
// is left to a suspended sequence.
func manifestFile(ctx context.Context, path string, yield func(manifest.Entry, error) bool) bool {
	entries, err := manifest.Load(ctx, path, manifest.Options{BaseDir: filepath.Dir(path)})
	for _, e := range entries {
		if !yield(e, nil) {
			return false
		}
	}
	for _, err := range each(err) {
		if !yield(manifest.Entry{AudioPath: path}, &UtteranceError{Path: path, Err: err}) {
			return false
		}
	}
	return true
}
