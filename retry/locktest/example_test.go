package locktest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// save is a program under test.
func save(ctx context.Context, files retry.FS, dir string) error {
	return files.WriteFile(ctx, filepath.Join(dir, "settings.json"), []byte("{}"))
}

// A scanner has the file for three seconds, of which the test takes none.
func ExampleNew() {
	_ = func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			sim := locktest.New(t)
			if err := os.WriteFile(filepath.Join(sim.Dir(), "settings.json"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			sim.HoldFor("settings.json", locktest.ShareNone, 3*time.Second)
			if err := save(t.Context(), sim.FS(), sim.Dir()); err != nil {
				t.Error(err)
			}
		})
	}
}

// Each operation of save fails in turn, by a full disk: the error has to come out, and no file may stay open.
func ExampleEveryOp() {
	_ = func(t *testing.T) {
		locktest.EveryOp(t, locktest.Fault{Err: locktest.DiskFull}, func(t *testing.T, files retry.FS, dir string) error {
			return save(t.Context(), files, dir)
		})
	}
}

// The power fails after each operation of save. Once save has returned the file must be there.
func ExampleEveryCrash() {
	_ = func(t *testing.T) {
		locktest.EveryCrash(t, func(t *testing.T, files retry.FS, dir string, ack func(string)) error {
			err := save(t.Context(), files, dir)
			if err == nil {
				ack("saved")
			}
			return err
		}, func(t *testing.T, dir string, acked []string) {
			data, err := os.ReadFile(filepath.Join(dir, "settings.json"))
			if err == nil && string(data) != "{}" || len(acked) > 0 && err != nil {
				t.Errorf("settings.json holds %q, %v", data, err)
			}
		})
	}
}

// The second replacement of a .json file is done, and reported as failed.
func ExampleInject() {
	_ = func(t *testing.T) {
		files := locktest.Inject(t, retry.FS{}, locktest.Fault{
			On: retry.OpReplace, Match: "*.json", Nth: 2, After: true, Err: locktest.DiskFull,
		})
		dir := locktest.TempDir(t)
		err := errors.Join(save(t.Context(), files, dir), save(t.Context(), files, dir))
		if err != nil {
			t.Error(err)
		}
	}
}

// On Windows another process has the file, and the real kernel refuses.
func ExampleHold() {
	_ = func(t *testing.T) {
		dir := locktest.TempDir(t)
		if err := save(t.Context(), retry.FS{}, dir); err != nil {
			t.Fatal(err)
		}
		release := locktest.Hold(t, filepath.Join(dir, "settings.json"), locktest.ShareGo)
		once := retry.FS{Policy: retry.Policy{Budget: -1}}
		if err := save(t.Context(), once, dir); !errors.Is(err, retry.ErrLocked) {
			t.Errorf("saved under a holder: %v", err)
		}
		release()
		if err := save(t.Context(), once, dir); err != nil {
			t.Error(err)
		}
	}
}
