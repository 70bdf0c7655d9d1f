package tempdir

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/holdfast-go/holdfast/retry"
)

// Options are the same for all ways to open a root; the zero value is useful.
type Options struct {
	FS           retry.FS      // how files are touched; zero: real files, default policy
	MinFree      int64         // bytes that must be free; 0: 256 MiB, negative: not checked
	AllowNetwork bool          // accept a directory that another machine holds
	MaxAge       time.Duration // when Sweep takes the scope of an unreachable machine; 0: 7 days
	Logger       *slog.Logger  // nil: silent
}

const (
	defaultMinFree = 256 << 20
	defaultMaxAge  = 7 * 24 * time.Hour
)

// Names inside a root. That of the scopes is short because Python makes
// sockets below it, whose whole path may have about 100 bytes.
const (
	markerName = ".holdfast"
	scopesName = "s"
	cacheName  = "cache"

	probePrefix = "probe-" // of the directory in which Open tries things out
)

// Root is a directory that passed every check of [Open]. It holds no handle
// (an open one would pin the directory on Windows), so there is nothing to
// close. It is safe for concurrent use.
type Root struct {
	dir     string // absolute, free of links
	opts    Options
	network bool
}

// Open validates dir and makes a root of it; the directory is created if it is
// absent. An empty dir means the first that passes of: "holdfast/root" in the
// user's cache directory, a directory of the user's own in the system's
// temporary directory, and "holdfast" in %ProgramData%.
//
// The error is a *multierror.Error that holds a [*CheckError] for every check
// that failed, not only for the first.
func Open(ctx context.Context, dir string, o Options) (*Root, error) {
	if dir != "" {
		return open(ctx, dir, o)
	}
	var first error
	for _, dir := range defaultDirs() {
		root, err := open(ctx, dir, o)
		if err == nil {
			return root, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		if first == nil {
			first = err
		}
		o.logger().Debug("default root refused", "dir", dir, "err", err)
	}
	return nil, first
}

func open(ctx context.Context, dir string, o Options) (*Root, error) {
	c := checker{ctx: ctx, fs: o.FS, opts: o, dir: dir}
	c.run()
	if err := c.failed(); err != nil {
		return nil, err
	}
	root := &Root{dir: c.dir, opts: o, network: c.network}
	if err := root.prepare(ctx); err != nil {
		return nil, err
	}
	return root, nil
}

// prepare makes the marker and the two directories of a root.
func (r *Root) prepare(ctx context.Context) error {
	for _, name := range []string{scopesName, cacheName} {
		if err := r.opts.FS.MkdirAll(ctx, filepath.Join(r.dir, name)); err != nil {
			return err
		}
	}
	marker := filepath.Join(r.dir, markerName)
	if _, err := r.opts.FS.Lstat(ctx, marker); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	const text = "This directory holds temporary files of programs that use Holdfast.\n"
	return r.opts.FS.WriteFile(ctx, marker, []byte(text))
}

// Path gives the root's directory, absolute and free of symbolic links.
func (r *Root) Path() string { return r.dir }

// Cache gives a directory that is kept from job to job, and creates it. The
// name is one path element.
func (r *Root) Cache(ctx context.Context, name string) (string, error) {
	if name == "." || !filepath.IsLocal(name) || filepath.Base(name) != name {
		return "", &CheckError{Path: name, Check: "cache name", Err: os.ErrInvalid, Hint: "use one plain path element"}
	}
	dir := filepath.Join(r.dir, cacheName, name)
	return dir, r.opts.FS.MkdirAll(ctx, dir)
}

func (o Options) minFree() int64 {
	if o.MinFree == 0 {
		return defaultMinFree
	}
	return o.MinFree
}

func (o Options) maxAge() time.Duration {
	if o.MaxAge == 0 {
		return defaultMaxAge
	}
	return o.MaxAge
}

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Logger
}

// isRoot tells whether dir carries the marker of a root.
func isRoot(dir string) bool {
	info, err := os.Lstat(filepath.Join(dir, markerName))
	return err == nil && info.Mode().IsRegular()
}
