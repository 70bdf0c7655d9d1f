package main

import (
	"context"

	"github.com/holdfast-go/holdfast/retry"
)

// status is how bad something is.
type status string

const (
	ok      status = "ok"
	note    status = "note"    // good to know, nothing is wrong
	warning status = "warning" // jobs run, but not as well as they could
	problem status = "problem" // a job would fail
)

// finding is what one check found out.
type finding struct {
	Check   string `json:"check"` // short and stable, for programs too
	Status  status `json:"status"`
	Text    string `json:"text"`              // one plain sentence
	Do      string `json:"do,omitempty"`      // what to do about it
	Command string `json:"command,omitempty"` // a line to copy
	Detail  any    `json:"detail,omitempty"`  // the figures behind it
}

// doctor examines one machine.
type doctor struct {
	root   string // "": the default one
	files  int    // of the lock test
	binary string // of whisper.cpp; "": as jobs find it
	model  string // of whisper.cpp, or with python of NeMo; "": only those in the cache
	python string // "": NeMo is not examined
	trial  bool   // let the engine transcribe something

	fs      retry.FS
	machine machine
	tell    func(finding)
	doing   func(string) // what takes a while; "" when it is done

	excluding bool // it was said how to exclude the folder from Defender
}

// machine is what the doctor asks of the system beside files, so that tests
// can answer in its place.
type machine struct {
	windows   bool
	fetchable bool   // whispercpp.Fetcher has a program for it
	cache     string // folder of fetched models and programs; "" where there is none

	look func(program string) (path string, err error)                                        // finds on the PATH
	run  func(ctx context.Context, program string, args ...string) (output string, err error) // both outputs
}

// examine makes all checks, in an order that a person reads well.
func (d *doctor) examine(ctx context.Context) {
	root := d.examineRoot(ctx)
	if root != nil {
		d.examineLocks(ctx, root)
		d.examineLeftovers(ctx, root)
	}
	d.examineWindows(ctx, root)
	d.examineWhisper(ctx)
	d.examineModels(ctx, root)
	d.examineFFmpeg(ctx)
	if d.python != "" {
		d.examineNeMo(ctx)
	}
	if d.trial && root != nil && ctx.Err() == nil {
		d.tryEngines(ctx, root)
	}
}
