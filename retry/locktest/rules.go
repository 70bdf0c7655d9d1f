package locktest

import (
	"os"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/retry"
)

const (
	reads   = ShareRead
	writes  = ShareWrite
	deletes = ShareDelete
)

// intercept applies the rules to one attempt. The lock is held while the operation runs, so that nobody opens a file
// between the question and the deed.
func (s *Sim) intercept(op *retry.Op, next func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ops = append(s.ops, *op)

	path, to := clean(op.Path), ""
	if op.To != "" {
		to = clean(op.To)
	}
	if err := s.refuse(op, path, to); err != nil {
		return err
	}
	if op.Kind == retry.OpRemove && s.linger(path) {
		return DeletePending
	}
	err := next()
	s.after(op, path, to, err)
	return err
}

// refuse says what Windows answers instead of doing the operation.
func (s *Sim) refuse(op *retry.Op, path, to string) error {
	if s.doomed[path] {
		switch op.Kind {
		case retry.OpRemove:
			return DeletePending
		case retry.OpRead, retry.OpWrite, retry.OpTruncate, retry.OpSync, retry.OpClose, retry.OpUnlock:
			// open handles go on
		default:
			return AccessDenied
		}
	}
	switch op.Kind {
	case retry.OpOpen, retry.OpReadDir:
		return s.conflict(path, reads, ShareAll)
	case retry.OpCreate, retry.OpAppend, retry.OpLock:
		if readOnly(path) && op.Kind != retry.OpCreate {
			return AccessDenied
		}
		return s.conflict(path, reads|writes, ShareAll)
	case retry.OpTruncate:
		if s.mapped(path) {
			return UserMappedFile
		}
	case retry.OpRename:
		if s.doomed[to] {
			return AccessDenied
		}
		return s.refuseMove(path)
	case retry.OpReplace:
		if err := s.refuseMove(path); err != nil {
			return err
		}
		return s.refuseTarget(to)
	case retry.OpRemove:
		if err := s.conflict(path, deletes, ShareAll); err != nil {
			return err
		}
		if s.mapped(path) {
			return AccessDenied
		}
	case retry.OpProbe:
		return s.conflict(path, deletes, ShareAll)
	}
	return nil
}

// refuseMove is for the file or directory that is to get another name.
func (s *Sim) refuseMove(path string) error {
	if err := s.conflict(path, deletes, ShareAll); err != nil {
		return err
	}
	if s.pinned(path) {
		return AccessDenied
	}
	return nil
}

// refuseTarget is for the file that is to be replaced. MoveFileEx wants nobody to have it open, whatever the handle
// shares; a POSIX rename passes over handles that share deletion.
func (s *Sim) refuseTarget(to string) error {
	info, err := os.Lstat(to)
	if err != nil {
		return nil
	}
	if info.IsDir() || readOnly(to) || s.doomed[to] || s.mapped(to) {
		s.conflict(to, 0, ShareAll)
		return AccessDenied
	}
	refused := s.conflict(to, deletes, ShareAll) != nil
	if s.open(to) && (refused || !s.posix) {
		return AccessDenied
	}
	return nil
}

// linger marks a file that is open as deleted.
func (s *Sim) linger(path string) bool {
	if s.posix || !s.open(path) {
		return false
	}
	info, err := os.Lstat(path)
	if err != nil || info.IsDir() {
		return false
	}
	s.doomed[path] = true
	return true
}

// after keeps the list of handles.
func (s *Sim) after(op *retry.Op, path, to string, err error) {
	switch {
	case op.Kind == retry.OpClose:
		// closed, whatever it said
		s.handles = slices.DeleteFunc(s.handles, func(h *handle) bool { return h.file == op.File })
		s.finish()
	case err != nil:
	case op.Kind == retry.OpOpen:
		s.handles = append(s.handles, &handle{path: path, opened: path, access: reads, share: ShareAll, file: op.File})
	case op.Kind == retry.OpCreate, op.Kind == retry.OpAppend:
		s.handles = append(s.handles, &handle{path: path, opened: path, access: reads | writes, share: ShareAll, file: op.File})
	case op.Kind == retry.OpLock:
		s.handles = append(s.handles, &handle{path: path, opened: path, access: reads | writes, share: ShareAll, lock: true})
	case op.Kind == retry.OpUnlock:
		if i := slices.IndexFunc(s.handles, func(h *handle) bool { return h.lock && h.opened == path }); i >= 0 {
			s.handles = slices.Delete(s.handles, i, i+1)
			s.finish()
		}
	case op.Kind == retry.OpRename, op.Kind == retry.OpReplace:
		s.moved(path, to)
	case op.Kind == retry.OpRemove:
		s.moved(path, path+string(os.PathSeparator)+"removed") // open handles have a file without a name
	}
}

// moved lets the handles follow a rename. Those of a replaced file stay with the file that has no name any more.
func (s *Sim) moved(from, to string) {
	sep := string(os.PathSeparator)
	for _, h := range s.handles {
		switch {
		case h.path == to:
			h.path = to + sep + "replaced"
		case h.path == from:
			h.path = to
		case strings.HasPrefix(h.path, from+sep):
			h.path = to + strings.TrimPrefix(h.path, from)
		}
	}
}

func readOnly(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o200 == 0
}
