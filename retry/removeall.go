package retry

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
)

// maxLeftovers is how many paths a LeftoverError names.
const maxLeftovers = 16

// RemoveAll removes a file or a tree. It goes on past what it cannot remove and goes over the rest again until
// the budget ends, which is one budget for the whole tree; then it answers *LeftoverError. Links are removed,
// never followed. An absent name is a success.
func (s FS) RemoveAll(ctx context.Context, name string) error {
	op := Op{Kind: OpRemoveAll, Path: name, Attempt: 1}
	clean := filepath.Clean(name)
	if base := filepath.Base(clean); name == "" || base == "." || base == ".." || filepath.Dir(clean) == clean {
		return failed(op, syscall.EINVAL)
	}
	if ctx.Err() != nil {
		return notTried(ctx, op)
	}
	p := &passes{fs: s, ctx: ctx}
	err := p.over(clean, 1) // cleaned: with a separator at the end some systems follow a link
	if err != nil {
		err = s.Policy.again(ctx, op, err, nil, func(attempt int) error { return p.over(clean, attempt) })
	}
	return leftover(clean, err)
}

// passes goes over a tree again and again.
type passes struct {
	fs      FS
	ctx     context.Context
	attempt int
	doomed  map[string]bool // deleted, but the name was still there
	failed  *passError      // of this pass; nil: all is gone
}

// passError is what stays after a pass.
type passError struct {
	class Class // the best of all failures: Transient says that another pass is worth while
	left  []string
	more  int
	first error
}

func (e *passError) Error() string { return e.first.Error() }
func (e *passError) Unwrap() error { return e.first }

// over goes over the tree once, without waiting.
func (p *passes) over(name string, attempt int) error {
	p.attempt, p.failed = attempt, nil
	p.remove(name)
	if p.failed == nil {
		return nil
	}
	return p.failed
}

// remove removes name and all below it, and reports whether it is gone.
func (p *passes) remove(name string) bool {
	if p.ctx.Err() != nil {
		return p.fail(name, Op{Kind: OpRemove, Path: name}, context.Cause(p.ctx))
	}
	op := Op{Kind: OpRemove, Path: name, Attempt: p.attempt}
	err := p.fs.attempt(&call{Op: op})
	if err == nil || isNotExist(err) {
		return true
	}
	if codeOf(err) != codeDirNotEmpty {
		return p.fail(name, op, err)
	}

	list := Op{Kind: OpReadDir, Path: name, Attempt: p.attempt}
	c := call{Op: list}
	err = p.fs.attempt(&c)
	if isNotExist(err) {
		return true
	}
	if err != nil {
		return p.fail(name, list, err)
	}
	all := true
	for _, entry := range c.entries {
		all = p.remove(filepath.Join(name, entry.Name())) && all
	}
	if !all {
		return false // its children say why
	}
	err = p.fs.attempt(&call{Op: op})
	if err == nil || isNotExist(err) {
		return true
	}
	return p.fail(name, op, err)
}

func (p *passes) fail(name string, op Op, err error) bool {
	asked := op
	if codeOf(err) == codeDirNotEmpty {
		asked.Kind = OpRemoveAll // it was emptied a moment ago
	}
	class := p.fs.Policy.classify(asked, err)
	switch code := codeOf(err); {
	case code == codeDeletePending:
		if p.doomed == nil {
			p.doomed = make(map[string]bool)
		}
		p.doomed[name] = true
	case code == codeAccessDenied && class == Suspect && p.doomed[name]:
		class = Transient // the answer for a deleted file that somebody has open (CreateFile)
	case code == codeAccessDenied && class == Suspect:
		class = p.fs.denied(op)
	}
	if p.failed == nil {
		p.failed = &passError{first: err}
	}
	p.failed.class = max(p.failed.class, class)
	if len(p.failed.left) < maxLeftovers {
		p.failed.left = append(p.failed.left, name)
	} else {
		p.failed.more++
	}
	return false
}

// leftover turns the end of the passes into a LeftoverError.
func leftover(root string, err error) error {
	e, ok := err.(*Error)
	if !ok {
		return err
	}
	left, ok := errors.AsType[*passError](e)
	if !ok {
		return err
	}
	e.Op = Op{Kind: OpRemove, Path: left.left[0], Attempt: e.Attempts}
	e.Err = left.first
	return &LeftoverError{Root: root, Paths: left.left, More: left.more, Err: e}
}
