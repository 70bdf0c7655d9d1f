package retry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// File is an open file. Its methods pass the interceptor of the FS that opened it; a read or write that meets a
// locked range is tried again. It is not safe for concurrent use, ReadAt excepted.
type File struct {
	fs           FS
	name         string
	os           *os.File
	ctx          context.Context // of the one call that owns the file; nil: no end but the budget
	appends      bool            // Write goes to end
	end          int64
	nameUnsynced bool
	poison       error // of a failed sync
	closed       bool
}

// Name is the name that the file was opened under.
func (f *File) Name() string { return f.name }

// OS is the file underneath, for exec.Cmd and the like; nil once it is closed. What is done to it passes no
// interceptor.
func (f *File) OS() *os.File {
	if f == nil || f.closed {
		return nil
	}
	return f.os
}

func (f *File) context() context.Context {
	if f.ctx != nil {
		return f.ctx
	}
	return context.Background()
}

// usable reports why nothing can be done with the file.
func (f *File) usable(kind Kind) error {
	switch {
	case f == nil || f.os == nil || f.closed:
		name := ""
		if f != nil {
			name = f.name
		}
		return &fs.PathError{Op: kind.String(), Path: name, Err: os.ErrClosed}
	case f.poison != nil && (kind == OpWrite || kind == OpTruncate || kind == OpSync):
		return f.poison
	}
	return nil
}

func (f *File) do(c *call) error {
	c.File, c.Path = f, f.name
	if err := f.usable(c.Kind); err != nil {
		return err
	}
	return f.fs.do(f.context(), c)
}

// Stat describes the file.
func (f *File) Stat() (fs.FileInfo, error) {
	if err := f.usable(OpStat); err != nil {
		return nil, err
	}
	info, err := f.os.Stat()
	if err != nil {
		return nil, failed(Op{Kind: OpStat, Path: f.name, File: f, Attempt: 1}, err)
	}
	return info, nil
}

// Truncate sets the size. A file opened to append goes on at its new end.
func (f *File) Truncate(size int64) error {
	err := f.do(&call{Op: Op{Kind: OpTruncate, Bytes: size}})
	if err == nil && f.appends {
		f.end = size
	}
	return err
}

// Sync makes the content durable, and for a file of Create or OpenAppend its name. After it has failed nothing can
// be written or synced any more: the system may have dropped the data and would report success the next time.
// Write what was not acknowledged into a new file.
func (f *File) Sync() error {
	if err := f.syncContent(); err != nil {
		return err
	}
	if !f.nameUnsynced {
		return nil
	}
	if err := f.fs.SyncDir(context.WithoutCancel(f.context()), filepath.Dir(f.name)); err != nil {
		f.poison = fmt.Errorf("an earlier sync failed: %w", err)
		return err
	}
	f.nameUnsynced = false
	return nil
}

func (f *File) syncContent() error {
	err := f.do(&call{Op: Op{Kind: OpSync}})
	if err != nil && f.poison == nil && f.usable(OpClose) == nil {
		f.poison = fmt.Errorf("an earlier sync failed: %w", err)
	}
	return err
}

// Close closes the file; a second time it does nothing.
func (f *File) Close() error {
	if f == nil || f.os == nil || f.closed {
		return nil
	}
	c := call{Op: Op{Kind: OpClose, Path: f.name, File: f}}
	err := f.fs.attempt(&c) // not tried again: the handle is gone either way
	if !c.reached {
		f.os.Close()
	}
	f.closed = true
	if err != nil {
		c.Op.Attempt = 1
		return failed(c.Op, err)
	}
	return nil
}

// Read reads from where the file stands.
func (f *File) Read(p []byte) (int, error) {
	return f.read(p, -1)
}

// ReadAt reads at an offset; it may be called concurrently.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: errors.New("negative offset")}
	}
	total := 0
	for total < len(p) {
		n, err := f.read(p[total:], off+int64(total))
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (f *File) read(p []byte, off int64) (int, error) {
	c := call{Op: Op{Kind: OpRead, Offset: off, Bytes: int64(len(p))}, buf: p}
	err := f.do(&c)
	if err == nil && c.moved == 0 && len(p) > 0 {
		err = io.EOF
	}
	return int(c.moved), err
}

// Write writes all of p: at the end of a file opened to append, elsewhere where the file stands.
func (f *File) Write(p []byte) (int, error) {
	if !f.appends {
		return f.write(p, -1)
	}
	n, err := f.write(p, f.end)
	f.end += int64(n)
	return n, err
}

// WriteAt writes all of p at an offset.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, &fs.PathError{Op: "write", Path: f.name, Err: errors.New("negative offset")}
	}
	n, err := f.write(p, off)
	f.end = max(f.end, off+int64(n))
	return n, err
}

// write goes on after a short write, and after one that met a lock, with what is left.
func (f *File) write(p []byte, off int64) (int, error) {
	total := 0
	for {
		c := call{Op: Op{Kind: OpWrite, Offset: off, Bytes: int64(len(p) - total)}, buf: p[total:]}
		if off >= 0 {
			c.Offset = off + int64(total)
		}
		err := f.do(&c)
		total += int(c.moved)
		if err != nil || total == len(p) {
			return total, err
		}
		if c.moved == 0 {
			return total, failed(c.Op, io.ErrShortWrite)
		}
	}
}

// ReadFrom writes all that r gives. From another file it is copied inside the kernel where the system can, and
// on file systems that can share blocks (xfs, btrfs) nothing is copied at all; io.CopyN keeps that too. It is one
// attempt: what was read and not written is lost when it fails.
func (f *File) ReadFrom(r io.Reader) (int64, error) {
	if err := f.usable(OpWrite); err != nil {
		return 0, err
	}
	if f.appends {
		back, err := f.os.Seek(0, io.SeekCurrent)
		if err != nil {
			return 0, err
		}
		defer f.os.Seek(back, io.SeekStart)
		if _, err := f.os.Seek(f.end, io.SeekStart); err != nil {
			return 0, err
		}
	}
	c := call{Op: Op{Kind: OpWrite, Path: f.name, File: f, Offset: -1, Bytes: -1, Attempt: 1}, from: unwrap(r)}
	err := f.fs.attempt(&c)
	f.end += c.moved
	if limited, ok := r.(*io.LimitedReader); ok && c.from != r {
		limited.N -= c.moved
	}
	if err != nil {
		return c.moved, failed(c.Op, err)
	}
	return c.moved, nil
}

// unwrap shows package os the files below r: only those does it hand to the kernel.
func unwrap(r io.Reader) io.Reader {
	switch r := r.(type) {
	case *File:
		if f := r.OS(); f != nil {
			return f
		}
	case *io.LimitedReader:
		if f, ok := r.R.(*File); ok && f.OS() != nil {
			return &io.LimitedReader{R: f.OS(), N: r.N}
		}
	}
	return r
}

// readAll reads the whole file into memory.
func (f *File) readAll() ([]byte, error) {
	size := 0
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		size = int(info.Size())
	}
	data := make([]byte, 0, size+512)
	for {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
}

// transfer makes one attempt at an OpRead or OpWrite and gives the bytes that it moved. A read at the end of the file
// moves none and is no error.
func (c *call) transfer() (int64, error) {
	f := c.File.os
	if c.from != nil {
		if c.Bytes >= 0 {
			return f.ReadFrom(io.LimitReader(c.from, c.Bytes))
		}
		return f.ReadFrom(c.from)
	}
	rest := c.buf[c.moved:]
	if c.Bytes-c.moved < int64(len(rest)) {
		rest = rest[:max(0, c.Bytes-c.moved)]
	}
	var n int
	var err error
	switch {
	case len(rest) == 0:
	case c.Kind == OpRead && c.Offset >= 0:
		n, err = f.ReadAt(rest, c.Offset+c.moved)
	case c.Kind == OpRead:
		n, err = f.Read(rest)
	case c.Offset >= 0:
		n, err = f.WriteAt(rest, c.Offset+c.moved)
	default:
		n, err = f.Write(rest)
	}
	if err == io.EOF {
		err = nil
	}
	return int64(n), err
}
