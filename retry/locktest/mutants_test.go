package locktest_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// mutants are programs with a known fault that the harness has to find. Each runs in a process of its own, which has
// to fail and to say so.
var mutants = map[string]struct {
	run  func(t *testing.T)
	says string
}{
	"nothing is wrong": {run: saveCrash(nil)},
	"the file is not synced": {
		run:  saveCrash(without(retry.OpSync)),
		says: "acknowledged",
	},
	"the folder is not synced": {
		run:  saveCrash(without(retry.OpSyncDir)),
		says: "acknowledged",
	},
	"the target is removed, then the new file renamed": {
		run: crash(func(t *testing.T, files retry.FS, name string, data []byte) error {
			temp := name + ".tmp"
			if err := createSynced(t, files, temp, data); err != nil {
				return err
			}
			return errors.Join(files.Remove(t.Context(), name), files.Rename(t.Context(), temp, name))
		}),
		says: "cut=",
	},
	"the file is written in place": {
		run: crash(func(t *testing.T, files retry.FS, name string, data []byte) error {
			f, err := files.OpenAppend(t.Context(), name)
			if err != nil {
				return err
			}
			_, err = f.WriteAt(data, 0)
			return errors.Join(err, f.Truncate(int64(len(data))), f.Sync(), f.Close())
		}),
		says: "cut=",
	},
	"it is acknowledged before it is synced": {
		run: func(t *testing.T) {
			locktest.EveryCrash(t, func(t *testing.T, files retry.FS, dir string, ack func(string)) error {
				ack("new")
				return files.WriteFile(t.Context(), filepath.Join(dir, "f"), []byte("new"))
			}, func(t *testing.T, dir string, acked []string) {
				requireLatest(t, filepath.Join(dir, "f"), acked, []string{"new"})
			})
		},
		says: "acknowledged",
	},
	"145 is taken to be permanent": {
		run: func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				files := locktest.Inject(t, retry.FS{Policy: retry.Policy{Classify: func(op retry.Op, err error) retry.Class {
					if errors.Is(err, locktest.DirNotEmpty) {
						return retry.Permanent
					}
					return retry.Unknown
				}}}, locktest.Fault{On: retry.OpRemove, Match: "tree", For: time.Second, Err: locktest.DirNotEmpty})
				tree := filepath.Join(locktest.TempDir(t), "tree")
				require.NoError(t, os.Mkdir(tree, 0o700))
				require.NoError(t, files.RemoveAll(t.Context(), tree))
			})
		},
		says: "the directory is not empty",
	},
	"5 on a held target is taken to be permanent": {
		run: func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := locktest.New(t)
				name := filepath.Join(sim.Dir(), "f")
				require.NoError(t, os.WriteFile(name, nil, 0o600))
				require.True(t, sim.HoldFor(name, locktest.ShareAll, time.Second))
				files := sim.FS()
				files.Policy.Classify = func(_ retry.Op, err error) retry.Class {
					if errors.Is(err, locktest.AccessDenied) {
						return retry.Permanent
					}
					return retry.Unknown
				}
				require.NoError(t, files.WriteFile(t.Context(), name, nil))
			})
		},
		says: "access is denied (Windows error 5)",
	},
	"a failed sync is tried again": {
		run: every(func(t *testing.T, files retry.FS, name string) error {
			f, err := files.Create(t.Context(), name)
			if err != nil {
				return err
			}
			_, err = f.Write([]byte("data"))
			if syncErr := f.Sync(); syncErr != nil {
				_ = f.OS().Sync() // says that all is well
			}
			return errors.Join(err, f.Close())
		}),
		says: "swallowed fault: sync",
	},
	"an error of a write is dropped": {
		run: every(func(t *testing.T, files retry.FS, name string) error {
			f, err := files.Create(t.Context(), name)
			if err != nil {
				return err
			}
			_, _ = f.Write([]byte("data"))
			return errors.Join(f.Sync(), f.Close())
		}),
		says: "swallowed fault: write",
	},
	"an error is replaced by another": {
		run: every(func(t *testing.T, files retry.FS, name string) error {
			if files.WriteFile(t.Context(), name, nil) != nil {
				return errors.New("could not save")
			}
			return nil
		}),
		says: "hides its cause",
	},
	"a file stays open after an error": {
		run: every(func(t *testing.T, files retry.FS, name string) error {
			f, err := files.Create(t.Context(), name)
			if err != nil {
				return err
			}
			if _, err := f.Write([]byte("data")); err != nil {
				return err
			}
			return errors.Join(f.Sync(), f.Close())
		}),
		says: "leaked handle",
	},
	"a lock stays taken after an error": {
		run: every(func(t *testing.T, files retry.FS, name string) error {
			unlock, _, err := files.TryLock(t.Context(), name+".lock")
			if err != nil {
				return err
			}
			if err := files.WriteFile(t.Context(), name, nil); err != nil {
				return err
			}
			return unlock()
		}),
		says: "leaked lock",
	},
	"a file is left open": {
		run: func(t *testing.T) {
			sim := locktest.New(t)
			_, err := sim.FS().Create(t.Context(), filepath.Join(sim.Dir(), "f"))
			require.NoError(t, err)
		},
		says: "leaked handle",
	},
	"a hold is not met": {
		run: func(t *testing.T) {
			sim := locktest.New(t)
			require.NoError(t, os.WriteFile(filepath.Join(sim.Dir(), "f"), nil, 0o600))
			sim.Hold("f", locktest.ShareNone)
		},
		says: "never met",
	},
	"a fault does not strike": {
		run: func(t *testing.T) {
			locktest.Inject(t, retry.FS{}, locktest.Fault{On: retry.OpReplace})
		},
		says: "the fault never struck: fail replace",
	},
}

const mutantEnv = "LOCKTEST_MUTANT"

// TestMutant is the mutant that TestHarnessFindsMutants asks for.
func TestMutant(t *testing.T) {
	name, ok := os.LookupEnv(mutantEnv)
	if !ok {
		t.Skip("it is for TestHarnessFindsMutants, which runs it once for each mutant")
	}
	mutants[name].run(t)
}

func TestHarnessFindsMutants(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	for name, m := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(exe, "-test.run=^TestMutant$", "-test.count=1")
			cmd.Env = append(os.Environ(), mutantEnv+"="+name)
			out, err := cmd.CombinedOutput()
			if m.says == "" {
				require.NoError(t, err, "%s", out)
				return
			}
			require.Error(t, err, "the mutant lives:\n%s", out)
			require.Contains(t, string(out), m.says)
		})
	}
}

// without drops a kind of operation: it is reported as done.
func without(kind retry.Kind) retry.Interceptor {
	return func(op *retry.Op, next func() error) error {
		if op.Kind == kind {
			return nil
		}
		return next()
	}
}

// saveCrash cuts the power around saves with WriteFile below a mutation.
func saveCrash(mutation retry.Interceptor) func(t *testing.T) {
	return crash(func(t *testing.T, files retry.FS, name string, data []byte) error {
		if inner := files.Intercept; mutation != nil {
			files.Intercept = func(op *retry.Op, next func() error) error {
				return mutation(op, func() error { return inner(op, next) })
			}
		}
		return files.WriteFile(t.Context(), name, data)
	})
}

func crash(save func(t *testing.T, files retry.FS, name string, data []byte) error) func(t *testing.T) {
	contents := []string{"first content", "second"}
	return func(t *testing.T) {
		locktest.EveryCrash(t, func(t *testing.T, files retry.FS, dir string, ack func(string)) error {
			for _, content := range contents {
				if err := save(t, files, filepath.Join(dir, "f"), []byte(content)); err != nil {
					return err
				}
				ack(content)
			}
			return nil
		}, func(t *testing.T, dir string, acked []string) {
			requireLatest(t, filepath.Join(dir, "f"), acked, contents)
		})
	}
}

func every(body func(t *testing.T, files retry.FS, name string) error) func(t *testing.T) {
	return func(t *testing.T) {
		locktest.EveryOp(t, locktest.Fault{Err: locktest.DiskFull}, func(t *testing.T, files retry.FS, dir string) error {
			return body(t, files, filepath.Join(dir, "f"))
		})
	}
}

// createSynced is a careful way to make a new file.
func createSynced(t *testing.T, files retry.FS, name string, data []byte) error {
	f, err := files.Create(t.Context(), name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
