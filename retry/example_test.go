package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/holdfast-go/holdfast/retry"
)

// example runs in a folder of its own.
func example(f func(ctx context.Context, dir string) error) {
	dir, err := os.MkdirTemp("", "retry-example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := errors.Join(f(ctx, dir), retry.FS{}.RemoveAll(ctx, dir)); err != nil {
		fmt.Println(err)
	}
}

func ExampleFS() {
	example(func(ctx context.Context, dir string) error {
		var files retry.FS // real files, default policy
		name := filepath.Join(dir, "manifest.json")
		if err := files.WriteFile(ctx, name, []byte(`{"text": "hello"}`)); err != nil {
			return err
		}
		data, err := files.ReadFile(ctx, name)
		fmt.Println(string(data))
		return err
	})
	// Output: {"text": "hello"}
}

func ExamplePending() {
	example(func(ctx context.Context, dir string) error {
		name := filepath.Join(dir, "transcript.txt")
		p, err := retry.FS{Public: true}.NewPending(ctx, name)
		if err != nil {
			return err
		}
		defer p.Close() // after Commit it does nothing
		for i := range 3 {
			fmt.Fprintln(p, "line", i)
		}
		_, err = os.Stat(name)
		fmt.Println("before Commit:", errors.Is(err, fs.ErrNotExist))
		if err := p.Commit(ctx); err != nil {
			return err
		}
		info, err := os.Stat(name)
		fmt.Println("after it:", info.Size(), "bytes")
		return err
	})
	// Output:
	// before Commit: true
	// after it: 21 bytes
}

func ExampleFS_TryLock() {
	example(func(ctx context.Context, dir string) error {
		var files retry.FS
		name := filepath.Join(dir, ".lock")
		unlock, ok, err := files.TryLock(ctx, name)
		if err != nil {
			return err
		}
		fmt.Println("first:", ok)
		_, ok, err = files.TryLock(ctx, name)
		fmt.Println("second:", ok)
		return errors.Join(err, unlock())
	})
	// Output:
	// first: true
	// second: false
}

func ExampleFS_RemoveAll() {
	example(func(ctx context.Context, dir string) error {
		err := retry.FS{}.RemoveAll(ctx, filepath.Join(dir, "scratch"))
		if left, ok := errors.AsType[*retry.LeftoverError](err); ok {
			fmt.Println("for the next sweep:", left.Paths)
			return nil
		}
		fmt.Println("all gone")
		return err
	})
	// Output: all gone
}

// Do is for operations that FS lacks.
func ExamplePolicy_Do() {
	held := 3 // a scanner that goes after three tries
	err := retry.Policy{}.Do(context.Background(), retry.Op{Kind: retry.OpRename, Path: "a", To: "b"}, func() error {
		if held--; held >= 0 {
			return retry.Errno(32) // ERROR_SHARING_VIOLATION
		}
		return nil
	})
	fmt.Println(err)
	// Output: <nil>
}

func ExamplePolicy() {
	policy := retry.Policy{
		Budget: 30 * time.Second, // endpoint security can hold a file long
		Observe: func(e retry.Event) {
			if e.Done && e.Err == nil {
				fmt.Printf("%v succeeded at attempt %d\n", e.Op, e.Op.Attempt)
			}
		},
		Classify: func(_ retry.Op, err error) retry.Class {
			if errors.Is(err, retry.Errno(64)) { // ERROR_NETNAME_DELETED: this share comes back
				return retry.Transient
			}
			return retry.Unknown // the built-in table decides
		},
	}
	failed := false
	_ = policy.Do(context.Background(), retry.Op{Kind: retry.OpOpen, Path: `\\nas\audio\a.wav`}, func() error {
		if !failed {
			failed = true
			return retry.Errno(64)
		}
		return nil
	})
	// Output: open \\nas\audio\a.wav succeeded at attempt 2
}

func ExampleError() {
	var files retry.FS
	_, err := files.ReadFile(context.Background(), "no-such-file.json")
	if e, ok := errors.AsType[*retry.Error](err); ok {
		fmt.Println(e.Op, e.Class, e.Attempts)
	}
	fmt.Println(errors.Is(err, fs.ErrNotExist), errors.Is(err, retry.ErrLocked))
	// Output:
	// open no-such-file.json permanent 1
	// true false
}

func ExampleHolders() {
	example(func(ctx context.Context, dir string) error {
		f, err := retry.FS{}.Create(ctx, filepath.Join(dir, "f"))
		if err != nil {
			return err
		}
		defer f.Close()
		holders, _ := retry.Holders(ctx, f.Name())
		for _, h := range holders {
			if h.Self {
				_ = h.Name // a handle of this process: it forgot to close a file
			}
		}
		return nil
	})
	// Output:
}
