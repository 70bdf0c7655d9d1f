package tempdir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/holdfast-go/holdfast/internal/host"
	"github.com/holdfast-go/holdfast/retry"
)

// CheckError says which check a directory failed, why, and what to do.
type CheckError struct {
	Path  string // the directory
	Check string // short name of the check: "private", "free space"
	Hint  string // what the user can do
	Err   error  // the cause
}

func (e *CheckError) Error() string {
	msg := fmt.Sprintf("tempdir %s: %s: %v", e.Path, e.Check, e.Err)
	if e.Hint != "" {
		msg += "; " + e.Hint
	}
	return msg
}

func (e *CheckError) Unwrap() error { return e.Err }

// checker runs every check on one directory and collects the failures.
type checker struct {
	ctx     context.Context
	fs      retry.FS
	opts    Options
	dir     string // as given; after resolve, absolute and free of links
	network bool
	errs    *multierror.Error
}

func (c *checker) fail(check, hint string, err error) {
	c.errs = multierror.Append(c.errs, &CheckError{Path: c.dir, Check: check, Hint: hint, Err: err})
}

func (c *checker) failed() error {
	if c.errs != nil {
		c.errs.ErrorFormat = formatChecks
	}
	return c.errs.ErrorOrNil()
}

func formatChecks(errs []error) string {
	if len(errs) == 1 {
		return errs[0].Error()
	}
	lines := []string{fmt.Sprintf("tempdir: %d checks failed", len(errs))}
	for _, err := range errs {
		lines = append(lines, "  - "+err.Error())
	}
	return strings.Join(lines, "\n")
}

func (c *checker) run() {
	if err := context.Cause(c.ctx); err != nil {
		c.fail("context", "", err)
		return
	}
	if !filepath.IsAbs(c.dir) {
		c.fail("absolute path", "give a full path: child processes have another current directory",
			errors.New("the path is relative"))
		return
	}
	c.dir = filepath.Clean(c.dir)
	c.checkName()
	named := c.errs.ErrorOrNil() == nil
	if !c.resolve(named) {
		return
	}
	c.checkNested()
	c.checkSynced()
	c.checkVolume()
	if err := host.CheckPrivate(c.dir); err != nil {
		c.fail("private", "choose a directory inside your own home, or take write permission from others (chmod go-w)", err)
	}
	c.checkForeign()
	c.checkOperations()
}

// checkName looks at the path's text alone.
func (c *checker) checkName() {
	// NeMo replaces brackets in a manifest's path by braces and expands those,
	// and splits the path at commas (audio_to_text.py, expand_sharded_filepaths).
	if i := strings.IndexAny(c.dir, "()[]{}<>,"); i >= 0 {
		c.fail("characters", "choose a directory without ( ) [ ] { } < > and commas",
			fmt.Errorf("NeMo cannot read a manifest below a path with %q", c.dir[i:i+1]))
	}
	if strings.Contains(c.dir, "_OP_") || strings.Contains(c.dir, "_CL_") {
		c.fail("characters", "choose a directory without _OP_ and _CL_",
			errors.New("NeMo reads _OP_ and _CL_ as braces"))
	}
	if i := strings.IndexFunc(c.dir, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }); i >= 0 {
		c.fail("characters", "choose a plain name",
			fmt.Errorf("the path has the control or invalid character %q", c.dir[i:i+1]))
	}
	if limit := maxRootLength(); len(c.dir) > limit {
		c.fail("length", "choose a shorter path",
			fmt.Errorf("the path has %d bytes, and engines make files below it for which at most %d leave room", len(c.dir), limit))
	}
}

// resolve creates the directory, if its name is good, and replaces c.dir by
// the path that has no links. It reports whether there is a directory to check.
func (c *checker) resolve(create bool) bool {
	if create {
		if err := c.fs.MkdirAll(c.ctx, c.dir); err != nil {
			c.fail("create", "choose a directory that you may create and write to", err)
			return false
		}
	}
	real, err := filepath.EvalSymlinks(c.dir)
	if err != nil {
		if create {
			c.fail("resolve", "choose a directory that can be reached", err)
		}
		return false
	}
	info, err := os.Stat(real)
	if err == nil && !info.IsDir() {
		err = errors.New("it is not a directory")
	}
	if err != nil {
		c.fail("directory", "choose another path", err)
		return false
	}
	if real != c.dir {
		c.dir = real
		c.checkName()
	}
	return true
}

// checkNested refuses a root inside another root: the other's sweep would
// take it.
func (c *checker) checkNested() {
	for up := filepath.Dir(c.dir); up != filepath.Dir(up); up = filepath.Dir(up) {
		if isRoot(up) {
			c.fail("nesting", "use that root, or a directory outside it; a child process uses tempdir.FromEnv",
				fmt.Errorf("it lies inside the root %s", up))
			return
		}
	}
}

func (c *checker) checkVolume() {
	v, err := host.VolumeOf(c.dir)
	if err != nil {
		c.fail("volume", "", err)
		return
	}
	c.network = v.Network
	if v.Network && !c.opts.AllowNetwork {
		c.fail("local disk", "choose a local directory, or allow the network if its locks can be trusted",
			fmt.Errorf("it lies on a network file system (%s)", v.Type))
	}
	if need := c.opts.minFree(); v.Free < need {
		c.fail("free space", "free some space or choose another disk",
			fmt.Errorf("%d MiB are free, %d MiB are needed", v.Free>>20, need>>20))
	}
}

// checkForeign refuses a directory in which a name of ours is somebody
// else's: Sweep would otherwise look for scopes among a user's files.
func (c *checker) checkForeign() {
	for _, name := range []string{scopesName, cacheName, markerName} {
		path := filepath.Join(c.dir, name)
		entries, err := os.ReadDir(path)
		if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
			continue
		}
		if isRoot(c.dir) { // asked last: another program may be making it one
			return
		}
		c.fail("ownership", "choose an empty or a new directory",
			fmt.Errorf("%s exists, but the directory is not marked as a root", path))
	}
}

// checkOperations does each thing once that jobs will do.
func (c *checker) checkOperations() {
	const hint = "choose another directory; a virus scanner or the directory's permissions may forbid this"
	probe := filepath.Join(c.dir, probePrefix+randomID())
	if err := c.fs.MkdirAll(c.ctx, probe); err != nil {
		c.fail("make a directory", hint, err)
		return
	}
	defer func() {
		if err := c.fs.RemoveAll(context.WithoutCancel(c.ctx), probe); err != nil {
			c.fail("remove", hint, err)
		}
	}()
	if err := c.fs.WriteFile(c.ctx, filepath.Join(probe, "file"), []byte("1")); err != nil {
		c.fail("write a file", hint, err)
		return
	}
	if err := c.fs.WriteFile(c.ctx, filepath.Join(probe, "file"), []byte("2")); err != nil {
		c.fail("rename over a file", hint, err)
	}
	unlock, ok, err := c.fs.TryLock(c.ctx, filepath.Join(probe, "lock"))
	if err == nil && !ok {
		err = errors.New("a new file is locked already")
	}
	if err == nil {
		err = unlock()
	}
	if err != nil {
		c.fail("lock a file", hint, err)
	}
}

// maxRootLength leaves room below the root for what engines create: Python's
// multiprocessing makes sockets in the temporary directory, whose paths are
// short by law, and on Windows much of Python stops at MAX_PATH.
func maxRootLength() int {
	const (
		scope  = len("/s/012345/t")
		socket = len("/pymp-01234567/listener-01234567")
		model  = len("/tmp01234567/0123456789abcdef0123456789abcdef_tokenizer_with_a_name.model")
	)
	limit := 4095 // PATH_MAX of Linux less its closing NUL
	if host.SocketPath > 0 {
		limit = min(limit, host.SocketPath-scope-socket)
	}
	if host.MaxPath > 0 {
		limit = min(limit, host.MaxPath-scope-model)
	}
	return limit
}
