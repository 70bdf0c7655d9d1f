package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/tempdir"
)

// lockReport is what the lock test measured.
type lockReport struct {
	Files      int      `json:"files"`       // that were made
	Touched    int      `json:"touched"`     // of those, how many a stranger had open, or made an operation wait
	Operations int      `json:"operations"`  // writes, renames, replacements, removals
	Delayed    int      `json:"delayed"`     // operations that had to wait and then succeeded
	GivenUp    int      `json:"given_up"`    // operations that failed because of a lock
	Wait50     float64  `json:"wait_p50_ms"` // of the delayed ones and those given up
	Wait95     float64  `json:"wait_p95_ms"`
	WaitMax    float64  `json:"wait_max_ms"`
	Holders    []holder `json:"holders"` // those that the system names; none means unknown
	Seconds    float64  `json:"seconds"`

	failed error // of an operation, and not because of a lock
}

// holder is a program that had fresh files open.
type holder struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	Files int    `json:"files"` // in how many it was seen
}

// lockTest makes fresh files of names that scanners, indexers and sync clients
// care for, and does with them at once what jobs do. What has to wait was held
// by somebody.
type lockTest struct {
	fs    retry.FS
	dir   string
	doing func(string)

	mu      sync.Mutex
	report  lockReport
	waits   []time.Duration
	touched map[int]bool
	holders map[int]*holder      // by process
	seen    map[int]map[int]bool // files in which each process was seen
	asking  sync.WaitGroup
	asked   int
}

const (
	lockWorkers = 8                // files at a time: a job and its engine touch several too
	lockLimit   = 30 * time.Second // no more files are begun after it
	maxAsked    = 50               // questions for a holder; on Windows one costs milliseconds
)

func (d *doctor) examineLocks(ctx context.Context, root *tempdir.Root) {
	if d.files == 0 {
		return
	}
	scope, err := root.NewScope(ctx, "doctor")
	if err != nil {
		d.tell(finding{Check: "lock test", Status: problem, Text: err.Error(), Do: "choose another folder by -root"})
		return
	}
	test := newLockTest(d.fs, scope.Path(), d.doing)
	report := test.run(ctx, d.files)
	left := scope.Close()
	if ctx.Err() == nil {
		f := lockFinding(report, left, d.machine.windows, root.Path())
		d.excluding = f.Command != ""
		d.tell(f)
	}
}

func newLockTest(fs retry.FS, dir string, doing func(string)) *lockTest {
	return &lockTest{fs: fs, dir: dir, doing: doing,
		touched: map[int]bool{}, holders: map[int]*holder{}, seen: map[int]map[int]bool{}}
}

// run makes the files twice over: at once after they were made, and again when
// all are there, by which time a slow scanner has come to them.
func (t *lockTest) run(ctx context.Context, files int) lockReport {
	start := time.Now()
	made := t.each(ctx, files, start.Add(lockLimit), t.fresh)
	t.look(ctx, made)
	t.each(ctx, made, time.Time{}, t.again)
	t.doing("")
	t.asking.Wait()

	r := t.report
	r.Holders = []holder{}
	r.Files, r.Touched = made, len(t.touched)
	r.Wait50, r.Wait95, r.WaitMax = quantile(t.waits, 50), quantile(t.waits, 95), quantile(t.waits, 100)
	for pid, h := range t.holders {
		h.Files = len(t.seen[pid])
		r.Holders = append(r.Holders, *h)
	}
	slices.SortFunc(r.Holders, func(a, b holder) int { return cmp.Or(b.Files-a.Files, a.PID-b.PID) })
	r.Seconds = time.Since(start).Seconds()
	return r
}

// each does something with the files 0, 1, 2 … of n, several at a time, and
// gives the number of files for which it was done by the deadline. The first
// failure that no lock is to blame for ends it.
func (t *lockTest) each(ctx context.Context, n int, deadline time.Time, do func(ctx context.Context, file int) error) (done int) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	files := make(chan int)
	var workers sync.WaitGroup
	for range lockWorkers {
		workers.Go(func() {
			for file := range files {
				err := do(ctx, file)
				// A lock that won is counted, and the next file may fare better.
				if err != nil && !errors.Is(err, retry.ErrLocked) && ctx.Err() == nil {
					stop(err)
					t.fail(err)
				}
			}
		})
	}
	for done < n && ctx.Err() == nil && (deadline.IsZero() || time.Now().Before(deadline)) {
		t.doing(fmt.Sprintf("lock test: file %d of %d", done+1, n))
		files <- done
		done++
	}
	close(files)
	workers.Wait()
	return done
}

func (t *lockTest) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.failed = cmp.Or(t.report.failed, err)
}

// fresh writes a file, renames it and replaces it, each at once.
func (t *lockTest) fresh(ctx context.Context, n int) error {
	fs, name := t.watched(n), t.name(n)
	upload := name + ".part"
	t.count(3)
	if err := fs.WriteFile(ctx, upload, content(name)); err != nil {
		return err
	}
	if err := fs.Rename(ctx, upload, name); err != nil {
		return err
	}
	return fs.WriteFile(ctx, name, content(name))
}

// again replaces a file that has been there for a while, and removes it.
func (t *lockTest) again(ctx context.Context, n int) error {
	fs, name := t.watched(n), t.name(n)
	t.count(2)
	if err := fs.WriteFile(ctx, name, content(name)); err != nil {
		return err
	}
	return fs.Remove(ctx, name)
}

// name gives the nth file the name of a manifest, a recording or a transcript.
func (t *lockTest) name(n int) string {
	kind := []string{"manifest-%04d.json", "recording-%04d.wav", "transcript-%04d.txt"}[n%3]
	return filepath.Join(t.dir, fmt.Sprintf(kind, n))
}

// content fits the name: a scanner looks at both.
func content(name string) []byte {
	switch filepath.Ext(strings.TrimSuffix(name, ".part")) {
	case ".json":
		return []byte(strings.Repeat(`{"audio_filepath": "recording.wav", "duration": 1.0, "text": ""}`+"\n", 10))
	case ".wav":
		const samples = 16000 // a second of silence
		b := []byte("RIFF")
		b = binary.LittleEndian.AppendUint32(b, 36+2*samples)
		b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data"...)
		b = binary.LittleEndian.AppendUint32(b, 2*samples)
		return append(b, make([]byte, 2*samples)...)
	}
	return []byte("Good morning everyone.\n")
}

// watched gives file operations that report on file n.
func (t *lockTest) watched(n int) retry.FS {
	fs := t.fs
	fs.Policy.Observe = func(e retry.Event) { t.observe(n, e) }
	return fs
}

func (t *lockTest) observe(n int, e retry.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.touched[n] = true
	switch {
	case !e.Done && e.Op.Attempt == 1:
		if t.asked++; t.asked <= maxAsked {
			t.asking.Go(func() { t.ask(context.Background(), n, e.Op.Path, e.Op.To) })
		}
	case e.Done && e.Err == nil:
		t.report.Delayed++
		t.waits = append(t.waits, e.Waited)
	case e.Done:
		t.report.GivenUp++
		t.waits = append(t.waits, e.Waited)
	}
}

// look asks who has the files open that nobody is working on.
func (t *lockTest) look(ctx context.Context, files int) {
	for n := range min(files, maxAsked) {
		if ctx.Err() == nil {
			t.ask(ctx, n, t.name(n))
		}
	}
}

// ask notes the strangers that have file n open under one of its names.
func (t *lockTest) ask(ctx context.Context, n int, paths ...string) {
	ask := t.fs.Policy.Holders
	if ask == nil {
		ask = retry.Holders
	}
	paths = slices.DeleteFunc(paths, func(p string) bool { return p == "" })
	found, _ := ask(ctx, paths...) // not to know the holder is no failure
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, h := range found {
		if h.Self {
			continue
		}
		t.touched[n] = true
		if t.holders[h.PID] == nil {
			t.holders[h.PID] = &holder{Name: h.Name, PID: h.PID}
			t.seen[h.PID] = map[int]bool{}
		}
		t.seen[h.PID][n] = true
	}
}

func (t *lockTest) count(operations int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Operations += operations
}

// quantile gives the smallest wait that p per cent do not exceed, in
// milliseconds.
func quantile(waits []time.Duration, p int) float64 {
	if len(waits) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(waits))
	n := max(1, (len(sorted)*p+99)/100)
	return float64(sorted[n-1].Microseconds()) / 1000
}

// lockFinding says in words what was measured.
func lockFinding(r lockReport, left []string, windows bool, root string) finding {
	f := finding{Check: "lock test", Status: ok, Detail: r}
	switch {
	case r.GivenUp > 0:
		f.Status = problem
	case r.failed != nil:
		f.Status, f.Text = problem, r.failed.Error()
		f.Do = "choose another folder by -root"
		return f
	case r.Touched > 0 || len(left) > 0:
		f.Status = warning
	case windows:
		f.Text = fmt.Sprintf("nobody touched %d fresh files, through %d operations in %.1f s", r.Files, r.Operations, r.Seconds)
		return f
	default:
		f.Text = fmt.Sprintf("nobody touched %d fresh files, through %d operations in %.1f s (on this system an open file stops none of these)", r.Files, r.Operations, r.Seconds)
		return f
	}
	f.Text = fmt.Sprintf("%d of %d fresh files were touched%s", r.Touched, r.Files, by(r.Holders))
	switch waited := r.Delayed + r.GivenUp; {
	case waited > 0:
		f.Text += fmt.Sprintf("; %d of %d operations had to wait: half of them up to %s, 95%% up to %s, the longest %s",
			waited, r.Operations, milliseconds(r.Wait50), milliseconds(r.Wait95), milliseconds(r.WaitMax))
	default:
		f.Text += "; no operation had to wait"
	}
	switch {
	case r.GivenUp > 0:
		f.Text += fmt.Sprintf("; %d were given up, and a job would have failed there", r.GivenUp)
		if r.failed != nil {
			f.Text += "; then: " + r.failed.Error()
		}
	case len(left) > 0:
		f.Text += fmt.Sprintf("; %d files could not be removed yet", len(left))
	default:
		f.Text += "; none failed"
	}
	f.Do = "have that program leave the folder alone"
	if len(r.Holders) == 0 {
		f.Do = "have virus scanners, indexers and sync clients leave the folder alone"
	}
	if windows {
		f.Do += "; for Microsoft Defender, in PowerShell as administrator:"
		f.Command = exclude(root)
	}
	return f
}

// by names the holders.
func by(holders []holder) string {
	if len(holders) == 0 {
		return ", the system does not say by whom"
	}
	var names []string
	for _, h := range holders[:min(3, len(holders))] {
		names = append(names, fmt.Sprintf("%s (pid %d, %d files)", h.Name, h.PID, h.Files))
	}
	if more := len(holders) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return " by " + strings.Join(names, ", ")
}

func milliseconds(ms float64) string {
	d := time.Duration(ms * float64(time.Millisecond))
	if d < 10*time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}
