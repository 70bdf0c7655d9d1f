package asr_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/subtitle"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// job is the whole way of the data: recordings are staged, transcribed,
// journaled and published. It tells ack each text once it was shown, and each
// file once it was published.
func job(t *testing.T, fs retry.FS, dir string, ack func(string)) error {
	t.Helper()
	return jobOf(t, fs, dir, ack, "one.wav", "two.wav")
}

func jobOf(t *testing.T, fs retry.FS, dir string, ack func(string), names ...string) error {
	t.Helper()
	ctx := context.Background()
	var paths []string
	for _, name := range names {
		path := filepath.Join(dir, name)
		paths = append(paths, path)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		require.NoError(t, os.WriteFile(path, wav(len(name)+int(name[0]), 100*time.Millisecond), 0o600))
	}
	root, err := tempdir.Open(ctx, filepath.Join(dir, "r"), tempdir.Options{FS: fs, MinFree: -1})
	if err != nil {
		return err
	}
	journal, err := manifest.OpenJournal(ctx, filepath.Join(dir, "journal.jsonl"), manifest.Options{FS: fs})
	if err != nil {
		return err
	}
	defer journal.Close()
	in := asr.Files(ctx, paths...)
	for transcript, err := range asr.Stream(ctx, &fake{}, in, asr.Options{Root: root, Journal: journal, FS: fs}) {
		if err != nil {
			return err
		}
		ack(transcript.Text)
		var b bytes.Buffer
		if err := subtitle.Write(&b, subtitle.TXT, transcript); err != nil {
			return err
		}
		name := strings.TrimSuffix(filepath.Base(transcript.Source.AudioPath), ".wav") + ".txt"
		if err := fs.WriteFile(ctx, filepath.Join(dir, name), b.Bytes()); err != nil {
			return err
		}
		ack(name)
	}
	return journal.Close()
}

// unsynced touches real files and syncs none: thousands of states are looked at,
// and no power is cut while they are.
func unsynced() retry.FS {
	return retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpSync || op.Kind == retry.OpSyncDir {
			return nil
		}
		return next()
	}}
}

// inMemory puts the directories of a test into memory, where the system has such
// a place: thousands of states are built and looked at, and the disk that matters
// is a model.
func inMemory(t *testing.T) {
	t.Helper()
	const memory = "/dev/shm"
	if dir, err := os.MkdirTemp(memory, "hf-"); err == nil {
		require.NoError(t, os.Remove(dir))
		t.Setenv("TMPDIR", memory)
	}
}

// The power is cut after every operation of the job, and every state that the
// disk may then be in is looked at: what was shown is in the journal, what was
// published is there and whole, and the same job comes to its end.
func TestEveryCrashOfTheWholeJob(t *testing.T) {
	inMemory(t)
	texts := map[string]string{"one.txt": "number 118\n", "two.txt": "number 123\n"}
	states := 0
	locktest.EveryCrash(t, job, func(t *testing.T, dir string, acked []string) {
		states++
		ctx := context.Background()
		for name, text := range texts {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if !os.IsNotExist(err) {
				require.NoError(t, err)
				require.Equal(t, text, string(b), "a file under its name is whole")
			}
		}
		journal, err := manifest.OpenJournal(ctx, filepath.Join(dir, "journal.jsonl"), manifest.Options{FS: unsynced()})
		require.NoError(t, err)
		require.Empty(t, journal.Damaged())
		kept := map[string]bool{}
		for _, e := range journal.All() {
			require.False(t, kept[e.PredText], "each once")
			kept[e.PredText] = true
		}
		require.NoError(t, journal.Close())
		for _, what := range acked {
			if text, isFile := texts[what]; isFile {
				require.FileExists(t, filepath.Join(dir, what), text)
				continue
			}
			require.True(t, kept[what], "%q was shown", what)
		}
	})
	t.Logf("%d crash states", states)
}

// After a crash the same command goes on: with a disk in any of the states that
// one cut can leave, the job comes to its end.
func TestJobEndsAfterEveryCrash(t *testing.T) {
	inMemory(t)
	one := func(t *testing.T, fs retry.FS, dir string, ack func(string)) error {
		return jobOf(t, fs, dir, ack, "one.wav") // each state costs a whole job
	}
	locktest.EveryCrash(t, one, func(t *testing.T, dir string, _ []string) {
		require.NoError(t, one(t, unsynced(), dir, func(string) {}))
		b, err := os.ReadFile(filepath.Join(dir, "one.txt"))
		require.NoError(t, err)
		require.Equal(t, "number 118\n", string(b))
	})
}

// Every operation of the job fails in turn. What was shown stays, and the same
// job comes to its end when the fault is over.
func TestEveryOpOfTheWholeJob(t *testing.T) {
	const injected = locktest.DiskFull
	locktest.EveryOp(t, locktest.Fault{Err: injected}, func(t *testing.T, fs retry.FS, dir string) error {
		var acked []string
		var met atomic.Pointer[error]
		inject := fs.Intercept
		fs.Intercept = func(op *retry.Op, next func() error) error {
			err := inject(op, next)
			if errors.Is(err, injected) {
				met.Store(&err)
			}
			return err
		}
		failed := job(t, fs, dir, func(what string) { acked = append(acked, what) })
		if failed == nil {
			// What only reads, and what only cleans up, may fail without
			// failing the job. Then everything must have been done.
			require.Len(t, acked, 4)
			if err := met.Load(); err != nil {
				failed = *err
			}
		}
		journal, err := os.ReadFile(filepath.Join(dir, "journal.jsonl"))
		if !os.IsNotExist(err) {
			require.NoError(t, err)
		}
		for _, what := range acked {
			if strings.HasSuffix(what, ".txt") {
				require.FileExists(t, filepath.Join(dir, what))
			} else {
				require.Contains(t, string(journal), what)
			}
		}
		return failed
	})
}
