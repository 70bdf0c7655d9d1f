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
	op := Op{Kind: OpRemoveAll, Path: name}
	if clean := filepath.Clean(name); name == "" || clean == "." || clean == ".." || filepath.Dir(clean) == clean {
		op.Attempt = 1
		return failed(op, syscall.EINVAL)
	}
	if ctx.Err() != nil {
		return notTried(ctx, op)
	}
	op.Attempt = 1
	err := s.pass(ctx, name, 1)
	if err != nil {
		err = s.Policy.again(ctx, op, err, nil, func(attempt int) error { return s.pass(ctx, name, attempt) })
	}
	return leftover(name, err)
}

// pass goes over the tree once, without waiting.
func (s FS) pass(ctx context.Context, name string, attempt int) error {
	p := &pass{fs: s, ctx: ctx, attempt: attempt}
	p.remove(name)
	if len(p.left) == 0 {
		return nil
	}
	return &passError{class: p.class, left: p.left, more: p.more, first: p.first}
}

type pass struct {
	fs      FS
	ctx     context.Context
	attempt int

	class Class // the best of all failures: Transient says that another pass is worth while
	left  []string
	more  int
	first error
}

// passError is what stays after a pass.
type passError struct {
	class Class
	left  []string
	more  int
	first error
}

func (e *passError) Error() string { return e.first.Error() }
func (e *passError) Unwrap() error { return e.first }

// remove removes name and all below it, and reports whether it is gone.
func (p *pass) remove(name string) bool {
	if p.ctx.Err() != nil {
		return p.fail(name, Op{Kind: OpRemove, Path: name}, p.ctx.Err())
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

func (p *pass) fail(name string, op Op, err error) bool {
	asked := op
	if codeOf(err) == codeDirNotEmpty {
		asked.Kind = OpRemoveAll // it was emptied a moment ago
	}
	class := p.fs.Policy.classify(asked, err)
	if codeOf(err) == codeAccessDenied && class == Suspect {
		class = p.fs.denied(op)
	}
	p.class = max(p.class, class)
	if len(p.left) < maxLeftovers {
		p.left = append(p.left, name)
	} else {
		p.more++
	}
	if p.first == nil {
		p.first = err
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
