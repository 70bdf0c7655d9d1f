package manifest_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/holdfast-go/holdfast/manifest"
)

// This binary starts itself anew as a writer that is killed, or that meets
// limits of the system which would hold for all tests.
const (
	writerJournal = "HOLDFAST_TEST_JOURNAL" // the path; set: be a writer
	writerLimit   = "HOLDFAST_TEST_LIMIT"   // set: with a limit on the size of files
)

func TestMain(m *testing.M) {
	path := os.Getenv(writerJournal)
	if path == "" {
		os.Exit(m.Run())
	}
	if os.Getenv(writerLimit) != "" {
		limitFileSize()
	}
	if err := writeUntilError(path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// writeUntilError appends records without end, by several callers, and tells
// each that was acknowledged.
func writeUntilError(path string) error {
	ctx := context.Background()
	j, err := manifest.OpenJournal(ctx, path, manifest.Options{})
	if err != nil {
		return err
	}
	n := 0
	for range j.All() {
		n++
	}
	var next atomic.Int64
	next.Store(int64(n))
	var tell, wait sync.WaitGroup
	acked := make(chan int)
	tell.Go(func() {
		for i := range acked {
			fmt.Println(i)
		}
	})
	errs := make(chan error, 4)
	for range 4 {
		wait.Go(func() {
			for {
				i := int(next.Add(1))
				if err := j.Append(ctx, key(i), result(i)); err != nil {
					errs <- err
					return
				}
				acked <- i
			}
		})
	}
	wait.Wait()
	close(acked)
	tell.Wait()
	if err := j.Close(); err != nil {
		return err
	}
	return <-errs
}
