package locktest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// world is where the cases of the table are played: the model, or Windows itself.
type world struct {
	files retry.FS // one try each
	dir   string
	hold  func(path string, share locktest.Share) (release func())
}

func (w world) path(elem ...string) string {
	return filepath.Join(append([]string{w.dir}, elem...)...)
}

// answers are the codes of an operation against a holder with ShareNone, ShareRead, ShareGo and ShareAll.
type answers [4]retry.Errno

var shares = [4]locktest.Share{locktest.ShareNone, locktest.ShareRead, locktest.ShareGo, locktest.ShareAll}

// kase is a row: what an operation answers while "held", or for the last rows "dir/child", is open elsewhere.
type kase struct {
	name  string
	child bool // dir/child is held, and not held
	want  answers
	posix *answers // where POSIX deletion and renaming are there
	wine  *answers // what Wine answers otherwise than Windows
	do    func(t *testing.T, w world) error
}

var table = []kase{
	{name: "open to read", want: answers{32, 0, 0, 0}, do: func(t *testing.T, w world) error {
		f, err := w.files.Open(t.Context(), w.path("held"))
		_ = f.Close()
		return err
	}},
	{name: "open to write", want: answers{32, 32, 0, 0}, do: func(t *testing.T, w world) error {
		f, err := w.files.OpenAppend(t.Context(), w.path("held"))
		_ = f.Close()
		return err
	}},
	{name: "take its lock", want: answers{32, 32, 0, 0}, do: func(t *testing.T, w world) error {
		unlock, _, err := w.files.TryLock(t.Context(), w.path("held"))
		if err == nil {
			require.NoError(t, unlock())
		}
		return err
	}},
	{name: "stat", want: answers{}, do: func(t *testing.T, w world) error {
		_, err := w.files.Stat(t.Context(), w.path("held"))
		return err
	}},
	{name: "rename away", want: answers{32, 32, 32, 0}, do: func(t *testing.T, w world) error {
		return w.files.Rename(t.Context(), w.path("held"), w.path("elsewhere"))
	}},
	{name: "replace something by it", want: answers{32, 32, 32, 0}, do: func(t *testing.T, w world) error {
		return w.files.Replace(t.Context(), w.path("held"), w.path("other"))
	}},
	{
		name: "replace it", want: answers{5, 5, 5, 5}, posix: &answers{5, 5, 5, 0},
		wine: &answers{5, 5, 5, 5}, // Wine has no POSIX rename
		do: func(t *testing.T, w world) error {
			return w.files.Replace(t.Context(), w.path("other"), w.path("held"))
		},
	},
	{name: "rename onto it", want: answers{183, 183, 183, 183}, do: func(t *testing.T, w world) error {
		err := w.files.Rename(t.Context(), w.path("other"), w.path("held"))
		require.ErrorIs(t, err, os.ErrExist)
		return retry.Errno(183)
	}},
	{name: "remove it", want: answers{32, 32, 32, 303}, posix: &answers{32, 32, 32, 0}, do: func(t *testing.T, w world) error {
		return w.files.Remove(t.Context(), w.path("held"))
	}},
	{name: "link it", want: answers{}, do: func(t *testing.T, w world) error {
		return w.files.Link(t.Context(), w.path("held"), w.path("second"))
	}},
	{name: "remove its folder", child: true, want: answers{145, 145, 145, 145}, do: func(t *testing.T, w world) error {
		return w.files.Remove(t.Context(), w.path("dir"))
	}},
	{
		name: "remove it and its folder", child: true, want: answers{32, 32, 32, 303}, posix: &answers{32, 32, 32, 0},
		do: func(t *testing.T, w world) error { return w.files.RemoveAll(t.Context(), w.path("dir")) },
	},
	{
		name: "remove it, then its folder", child: true, want: answers{145, 145, 145, 145}, posix: &answers{145, 145, 145, 0},
		do: func(t *testing.T, w world) error {
			_ = w.files.Remove(t.Context(), w.path("dir", "child"))
			return w.files.Remove(t.Context(), w.path("dir"))
		},
	},
	{
		name: "rename its folder", child: true, want: answers{5, 5, 5, 5},
		wine: &answers{0, 0, 0, 0}, // Wine does not pin folders
		do: func(t *testing.T, w world) error {
			return w.files.Rename(t.Context(), w.path("dir"), w.path("dir2"))
		},
	},
}

// play asks the world for all answers.
func play(t *testing.T, k kase, fresh func(t *testing.T) world) answers {
	var got answers
	for i, share := range shares {
		t.Run(fmt.Sprint("share ", share), func(t *testing.T) {
			w := fresh(t)
			require.NoError(t, os.Mkdir(w.path("dir"), 0o700))
			for _, name := range []string{"held", "other", "dir/child"} {
				require.NoError(t, os.WriteFile(w.path(name), []byte(name), 0o600))
			}
			held := w.path("held")
			if k.child {
				held = w.path("dir", "child")
			}
			release := w.hold(held, share)
			defer release()
			got[i] = code(t, k.do(t, w))
		})
	}
	return got
}

func simulated(posix bool) func(t *testing.T) world {
	return func(t *testing.T) world {
		sim := locktest.New(t)
		if posix {
			sim.POSIX()
		}
		return world{once(sim.FS()), sim.Dir(), sim.Hold}
	}
}

func real(t *testing.T) world {
	return world{once(retry.FS{}), locktest.TempDir(t), func(path string, share locktest.Share) func() {
		return locktest.Hold(t, path, share)
	}}
}

// The model gives the answers of the table.
func TestModel(t *testing.T) {
	for _, k := range table {
		t.Run(k.name, func(t *testing.T) {
			require.Equal(t, k.want, play(t, k, simulated(false)))
		})
		t.Run(k.name+" with POSIX deletion", func(t *testing.T) {
			want := k.want
			if k.posix != nil {
				want = *k.posix
			}
			require.Equal(t, want, play(t, k, simulated(true)))
		})
	}
}

// So does the kernel, with a holder in another process.
func TestKernel(t *testing.T) {
	wine, posix := kernel(t)
	t.Logf("Wine: %v, POSIX deletion: %v", wine, posix)
	for _, k := range table {
		t.Run(k.name, func(t *testing.T) {
			want := k.want
			if posix && k.posix != nil {
				want = *k.posix
			}
			if wine && k.wine != nil {
				want = *k.wine
			}
			require.Equal(t, want, play(t, k, real))
		})
	}
}
