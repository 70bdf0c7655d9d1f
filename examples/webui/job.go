package main

import (
	"path/filepath"
	"sync"
	"time"
)

type state string

const (
	queued    state = "queued"
	working   state = "working"
	done      state = "done"
	failed    state = "failed"
	cancelled state = "cancelled"
)

func (s state) ended() bool { return s == done || s == failed || s == cancelled }

// record is what is kept of a job, in its job.json.
type record struct {
	ID       string    `json:"id"`    // 128 random bits: who has it may not guess others
	Owner    string    `json:"owner"` // see owner.go
	Name     string    `json:"name"`  // what people see; never a path
	Ext      string    `json:"ext"`   // of the stored upload: one of mediaTypes, or ".bin"
	Size     int64     `json:"size"`
	Order    int64     `json:"order"` // the page's: what has more comes first
	Created  time.Time `json:"created"`
	State    state     `json:"state"`
	Error    string    `json:"error,omitempty"`
	Language string    `json:"language,omitempty"`
	Length   float64   `json:"duration,omitempty"` // of the audio, in seconds
	Elapsed  float64   `json:"elapsed,omitempty"`  // what the engine took, in seconds
	Words    int       `json:"words,omitempty"`
}

// job is an upload and what becomes of it. Its record and what follows it are
// guarded by the board.
type job struct {
	record
	dir     string
	history *history
	task    *task     // while it is queued or worked on
	started time.Time // of this attempt
	heard   time.Duration
	deleted bool
	ref     string // the page's name for the upload, for as long as it may wait for the answer

	saving sync.Mutex // one writer of job.json at a time, so that the last state is the last one written
}

func (j *job) audio() string { return filepath.Join(j.dir, "audio"+j.Ext) }

func (j *job) transcript(ext string) string { return filepath.Join(j.dir, "transcript"+ext) }

// view is what a page is told about a job.
type view struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Size     int64   `json:"size"`
	Ref      string  `json:"ref,omitempty"`
	Order    int64   `json:"order"`
	Created  int64   `json:"created"` // milliseconds since 1970, as in JavaScript
	State    state   `json:"state"`
	Place    int     `json:"place,omitempty"`    // in the queue, from 1
	Started  int64   `json:"started,omitempty"`  // milliseconds since 1970
	Length   float64 `json:"duration,omitempty"` // of the audio, in seconds
	Heard    float64 `json:"heard,omitempty"`    // of it, in seconds
	Language string  `json:"language,omitempty"`
	Elapsed  float64 `json:"elapsed,omitempty"`
	Words    int     `json:"words,omitempty"`
	Error    string  `json:"error,omitempty"`
}
