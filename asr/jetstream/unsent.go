package jetstream

import (
	"context"
	"encoding/json"

	"github.com/holdfast-go/holdfast/manifest"
)

// jobField says in the worker's journal which job a transcript is of.
const jobField = "fleet_job"

type jobMark struct {
	Batch   string `json:"batch"`
	ID      string `json:"id"`
	Attempt int    `json:"attempt,omitempty"`
	Path    string `json:"path"` // of the audio, as it was submitted
}

func mark(e *manifest.Entry, j *job) error {
	return e.Extra.Set(jobField, jobMark{j.Batch, j.ID, j.Attempt, j.Entry.AudioPath})
}

// sendUnsent commits what an earlier life of this worker had put into its
// journal, and not on the server: the job comes back after its lease, maybe to
// somebody who would do it again. There is at most one for each call of the
// engine, and it is among the last.
func (w *worker) sendUnsent(ctx context.Context) error {
	recent := 4 * w.slots
	var last []manifest.Entry
	for _, e := range w.opts.Run.Journal.All() {
		w.kept.records.Add(1)
		last = append(last, e)
		if len(last) > recent {
			last = last[1:]
		}
	}
	for _, e := range last {
		var m jobMark
		if raw, ok := e.Extra.Get(jobField); !ok || json.Unmarshal(raw, &m) != nil {
			continue
		}
		j := job{Batch: m.Batch, ID: m.ID, Attempt: m.Attempt}
		if there, err := w.hasResult(ctx, &j); there {
			continue
		} else if err != nil {
			return err
		}
		e.AudioPath = m.Path
		e.Extra.Delete(jobField)
		first, err := w.commit(ctx, &j, success(e))
		if err != nil {
			return err
		}
		if first {
			w.count(&w.report.Done)
			w.count(&w.report.Resumed)
		}
	}
	return nil
}
