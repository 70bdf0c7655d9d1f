package locktest

import (
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Beyond these the states are a choice instead of all: single moves and all but one, and one choice for all files.
const (
	allSubsetsUpTo = 6
	allMixesUpTo   = 200
)

// state is what a disk may hold after a power cut.
type state struct {
	name  string
	files map[string]string // content; of a directory "\x00dir"
}

const directory = "\x00dir"

// snapshot adds a cut with all states that the disk may be in now, and that are new.
func (d *disk) snapshot(after string) {
	c := cut{ops: d.ops, after: after, acked: slices.Clone(d.acked)}
	for _, names := range d.names() {
		for _, s := range mixes(names) {
			if key := s.key(d.acked); !d.seen[key] {
				d.seen[key] = true
				c.states = append(c.states, s)
			}
		}
	}
	d.cuts = append(d.cuts, c)
}

// nameState is which names may be there.
type nameState struct {
	label string
	names map[string]*node
}

// names gives every combination of the unsettled moves.
func (d *disk) names() []nameState {
	n := len(d.moves)
	var subsets [][]int
	if n <= allSubsetsUpTo {
		for bits := range 1 << n {
			var subset []int
			for i := range n {
				if bits&(1<<i) != 0 {
					subset = append(subset, i)
				}
			}
			subsets = append(subsets, subset)
		}
	} else {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		for i := range n {
			subsets = append(subsets, all[:i], all[i:i+1], slices.Concat(all[:i], all[i+1:]))
		}
		subsets = append(subsets, all)
	}

	var states []nameState
	for _, subset := range subsets {
		names := maps.Clone(d.kept)
		var label []string
		for _, i := range subset {
			for _, e := range d.moves[i].set {
				set(names, e)
			}
			label = append(label, d.moves[i].what+" "+filepath.Base(d.moves[i].set[0].name))
		}
		states = append(states, nameState{"names kept: " + orNone(label), names})
	}
	return states
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, "+")
}

// contents are what may be in a file: any of its versions since the last sync, half of what the last one added, or the
// new size without the data.
func (n *node) contents() map[string]string {
	first, last := n.versions[0], n.versions[len(n.versions)-1]
	found := map[string]string{"synced": first}
	if len(n.versions) == 1 {
		return found
	}
	for i, v := range n.versions[1:] {
		found[fmt.Sprintf("write %d", i+1)] = v
	}
	before := n.versions[len(n.versions)-2]
	same := len(common(before, last))
	found["half"] = last[:same+(len(last)-same)/2]
	same = len(common(first, last))
	found["zeros"] = last[:same] + strings.Repeat("\x00", len(last)-same)
	found["garbage"] = last[:same] + strings.Repeat("\xa5", len(last)-same)
	return found
}

func common(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

// mixes gives the states of one set of names: each content of each file with each of the others.
func mixes(ns nameState) []state {
	base := state{name: ns.label, files: make(map[string]string)}
	var open []string // the files of which not all is synced
	for _, name := range slices.Sorted(maps.Keys(ns.names)) {
		n := ns.names[name]
		if parent := filepath.Dir(name); parent != "." && base.files[parent] != directory {
			continue // the folder is not there, nor is what lies in it
		}
		switch {
		case n.dir:
			base.files[name] = directory
		case len(n.versions) == 1:
			base.files[name] = n.versions[0]
		default:
			base.files[name] = n.versions[0]
			open = append(open, name)
		}
	}

	count := 1
	for _, name := range open {
		count *= len(ns.names[name].contents())
	}
	states := []state{base}
	for _, name := range open {
		contents := ns.names[name].contents()
		var more []state
		from := states
		if count > allMixesUpTo {
			from = states[:1] // one file at a time
			more = append(more, states...)
		}
		for _, s := range from {
			for _, label := range slices.Sorted(maps.Keys(contents)) {
				more = append(more, s.with(name, contents[label], label))
			}
		}
		states = more
	}
	return states
}

func (s state) with(name, content, label string) state {
	files := maps.Clone(s.files)
	files[name] = content
	return state{s.name + ", " + filepath.Base(name) + ": " + label, files}
}

// key is the same for the same files after the same acknowledgements.
func (s state) key(acked []string) [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", acked)
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		fmt.Fprintf(h, "%q %d\n", name, len(s.files[name]))
		io.WriteString(h, s.files[name])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func (s state) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		content := s.files[name]
		if len(content) > 200 {
			content = fmt.Sprintf("%s… (%d bytes)", content[:200], len(content))
		}
		fmt.Fprintf(&b, "  %s: %q\n", name, content)
	}
	return b.String()
}

// build makes the state in a fresh directory.
func (s state) build(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		full := filepath.Join(dir, name)
		var err error
		if s.files[name] == directory {
			err = os.Mkdir(full, 0o700)
		} else {
			err = os.WriteFile(full, []byte(s.files[name]), 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// below gives the rest of name where it lies below dir.
func below(dir, name string) (string, bool) {
	return strings.CutPrefix(name, dir+string(filepath.Separator))
}
