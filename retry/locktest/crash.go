package locktest

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/holdfast-go/holdfast/retry"
)

// EveryCrash runs body once on a real directory, logs what it does, and then cuts the power: after each operation it
// builds every state that the disk may be in, each in a fresh directory, and calls check for it.
//
// The disk of the model keeps nothing that was not synced unless it pleases. Of each file's unsynced writes any
// number may have arrived, or the last one by half, or the size without the data (zeros, or garbage). Of the names that
// were created, renamed or removed in a folder since that was synced, any may have arrived and any not; a rename is
// whole or not at all, and safe when both folders are synced. This is what POSIX allows, and more than ext4 or NTFS do.
//
// body calls ack for whatever it tells the world to be safe, and check gets what was acknowledged before the cut.
// What is in the directory before the first operation counts as synced. All operations have to go through fs.
//
// It logs the number of operations and states. With go test -short it tries some hundred states, evenly spread.
func EveryCrash(t *testing.T, body func(t *testing.T, fs retry.FS, dir string, ack func(what string)) error,
	check func(t *testing.T, dir string, acked []string)) {
	t.Helper()
	dir := TempDir(t)
	d := newDisk(dir)
	if err := body(t, retry.FS{Intercept: d.intercept}, dir, d.ack); err != nil {
		t.Fatalf("the run that is to be cut: %v", err)
	}
	if d.broken != nil {
		t.Fatal(d.broken)
	}
	scratch := TempDir(t)
	total, step := 0, 1
	for _, cut := range d.cuts {
		total += len(cut.states)
	}
	if testing.Short() {
		step = max(1, total/100)
	}
	at, tried := 0, 0
	for _, cut := range d.cuts {
		for _, state := range cut.states {
			if at++; at%step != 0 {
				continue
			}
			tried++
			fresh := filepath.Join(scratch, fmt.Sprint(tried))
			if err := state.build(fresh); err != nil {
				t.Fatalf("building a crash state: %v", err)
			}
			name := fmt.Sprintf("cut=%02d after %s, %s", cut.ops, cut.after, state.name)
			if !t.Run(name, func(t *testing.T) { check(t, fresh, cut.acked) }) {
				t.Logf("%s: acknowledged %q; the disk holds:\n%s", name, cut.acked, state)
			}
			_ = os.RemoveAll(fresh)
		}
	}
	t.Logf("EveryCrash: %d operations, %d of %d states", d.ops, tried, total)
}

// disk follows what a run does and what of it is durable.
type disk struct {
	root string

	mu     sync.Mutex
	open   map[*retry.File]*node
	live   map[string]*node // the names as the program sees them, below root
	kept   map[string]*node // the names that are durable
	moves  []move           // what was done to names and is not durable
	acked  []string
	ops    int
	cuts   []cut
	seen   map[[sha256.Size]byte]bool
	broken error
}

// node is a file or directory, whatever its names.
type node struct {
	dir      bool
	versions []string // of the content: the first is durable, the last is what the program sees
}

// move is a change of names that is whole or not at all, and durable once all folders that it touches are synced.
type move struct {
	what    string
	set     []entry
	folders []string // not synced since
}

type entry struct {
	name string
	node *node // nil: the name goes
}

// cut is a power cut after an operation.
type cut struct {
	ops    int
	after  string
	acked  []string
	states []state
}

func newDisk(root string) *disk {
	d := &disk{root: root, open: make(map[*retry.File]*node), live: make(map[string]*node),
		kept: make(map[string]*node), seen: make(map[[sha256.Size]byte]bool)}
	d.snapshot("before the first operation")
	return d
}

func (d *disk) ack(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.acked = append(d.acked, what)
	d.snapshot("ack " + what)
}

func (d *disk) intercept(op *retry.Op, next func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	path := d.rel(op.Path)
	d.meet(path)
	if op.To != "" {
		d.meet(d.rel(op.To))
	}
	if err := next(); err != nil {
		return err
	}
	d.ops++
	if d.follow(op, path) {
		d.snapshot(op.Kind.String() + " " + filepath.Base(op.Path))
	}
	return nil
}

// rel is a path below the root; "." is the root.
func (d *disk) rel(path string) string {
	rel, err := filepath.Rel(d.root, clean(path))
	if err != nil || !filepath.IsLocal(rel) {
		d.broken = fmt.Errorf("locktest: %s is not below the directory of the test", path)
	}
	return rel
}

// meet takes in what was there before, as durable.
func (d *disk) meet(path string) {
	if path == "." || d.live[path] != nil {
		return
	}
	full := filepath.Join(d.root, path)
	info, err := os.Lstat(full)
	if err != nil {
		return
	}
	d.meet(filepath.Dir(path))
	n := &node{dir: info.IsDir(), versions: []string{""}}
	if !n.dir {
		n.versions[0] = read(full)
	}
	d.live[path], d.kept[path] = n, n
}

// follow applies a successful operation and reports whether the disk can look different now.
func (d *disk) follow(op *retry.Op, path string) bool {
	switch op.Kind {
	case retry.OpCreate, retry.OpAppend, retry.OpLock, retry.OpMkdir, retry.OpOpen:
		there := d.live[path] != nil || path == "."
		if !there {
			d.move("create", nil, entry{path, &node{dir: op.Kind == retry.OpMkdir, versions: []string{""}}})
		}
		if op.File != nil {
			d.open[op.File] = d.live[path]
		}
		return !there
	case retry.OpWrite, retry.OpTruncate:
		n := d.open[op.File]
		n.versions = append(n.versions, content(op.File.OS()))
	case retry.OpSync:
		n := d.open[op.File]
		n.versions = n.versions[len(n.versions)-1:]
	case retry.OpRename, retry.OpReplace:
		to := d.rel(op.To)
		var inside []entry
		for name, n := range d.live { // what lies below a directory goes with it
			if rest, ok := below(path, name); ok {
				inside = append(inside, entry{name, nil}, entry{filepath.Join(to, rest), n})
			}
		}
		d.move(op.Kind.String(), inside, entry{path, nil}, entry{to, d.live[path]})
	case retry.OpLink:
		d.move("link", nil, entry{d.rel(op.To), d.live[path]})
	case retry.OpRemove:
		d.move("remove", nil, entry{path, nil})
	case retry.OpSyncDir:
		d.settle(path)
	default:
		return false
	}
	return true
}

// move changes names: those of top, and with them what lies below.
func (d *disk) move(what string, below []entry, top ...entry) {
	entries := append(slices.Clone(top), below...)
	for _, e := range entries {
		set(d.live, e)
	}
	var folders []string
	for _, e := range top {
		folders = append(folders, filepath.Dir(e.name))
	}
	d.moves = append(d.moves, move{what, entries, folders})
}

// settle makes durable what was done to the names in a folder.
func (d *disk) settle(dir string) {
	for i := range d.moves {
		m := &d.moves[i]
		m.folders = slices.DeleteFunc(m.folders, func(folder string) bool { return folder == dir })
		if len(m.folders) == 0 {
			for _, e := range m.set {
				set(d.kept, e)
			}
		}
	}
	d.moves = slices.DeleteFunc(d.moves, func(m move) bool { return len(m.folders) == 0 })
}

func set(names map[string]*node, e entry) {
	if e.node == nil {
		delete(names, e.name)
	} else {
		names[e.name] = e.node
	}
}

func read(path string) string {
	data, _ := os.ReadFile(path)
	return string(data)
}

func content(f *os.File) string {
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	data := make([]byte, info.Size())
	n, _ := f.ReadAt(data, 0)
	return string(data[:n])
}
