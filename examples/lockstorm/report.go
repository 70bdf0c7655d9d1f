package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/holdfast-go/holdfast/retry"
)

// report counts what the storm did.
type report struct {
	mu       sync.Mutex
	kinds    map[retry.Kind]*counts
	errors   []error
	held     int
	results  int // acknowledged
	lost     int // acknowledged, and not there in the end
	torn     int // read while they were not whole
	duration time.Duration
}

type counts struct {
	operations int
	conflicts  int // attempts that met a holder
	late       int // operations that succeeded after one
	given      int // operations that were given up
	worst      time.Duration
}

// watch puts the report around file operations.
func (r *report) watch(files retry.FS) retry.FS {
	inner := files.Intercept
	files.Intercept = func(op *retry.Op, next func() error) error {
		if op.Attempt <= 1 {
			r.count(op.Kind, func(c *counts) { c.operations++ })
		}
		if inner != nil {
			return inner(op, next)
		}
		return next()
	}
	files.Policy.Observe = func(e retry.Event) {
		r.count(e.Op.Kind, func(c *counts) {
			switch {
			case !e.Done:
				c.conflicts++
			case e.Err == nil:
				c.late++
				c.worst = max(c.worst, e.Waited)
			default:
				c.given++
			}
		})
	}
	return files
}

func (r *report) count(kind retry.Kind, f func(*counts)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kinds == nil {
		r.kinds = make(map[retry.Kind]*counts)
	}
	c := r.kinds[kind]
	if c == nil {
		c = &counts{}
		r.kinds[kind] = c
	}
	f(c)
}

func (r *report) add(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, err)
}

func (r *report) failed() bool { return len(r.errors) > 0 || r.lost > 0 || r.torn > 0 }

func (r *report) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "operation\tcount\tconflicts met\tlate\tworst wait\tgiven up\t")
	var sum counts
	for _, kind := range slices.Sorted(maps.Keys(r.kinds)) {
		c := r.kinds[kind]
		line(t, kind.String(), *c)
		sum.operations += c.operations
		sum.conflicts += c.conflicts
		sum.late += c.late
		sum.given += c.given
		sum.worst = max(sum.worst, c.worst)
	}
	line(t, "all", sum)
	_ = t.Flush()
	fmt.Fprintf(w, "\n%v, files held %d times; failures: %d; results: %d, lost: %d; torn or missing reads: %d\n",
		r.duration.Round(time.Millisecond), r.held, len(r.errors), r.results, r.lost, r.torn)
	for i, err := range r.errors {
		if i == 5 {
			fmt.Fprintf(w, "and %d more\n", len(r.errors)-i)
			break
		}
		fmt.Fprintln(w, err)
	}
}

func line(w io.Writer, name string, c counts) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%v\t%d\t\n", name, c.operations, c.conflicts, c.late, c.worst.Round(time.Millisecond), c.given)
}
