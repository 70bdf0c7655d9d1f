package nemo

import (
	"context"
	"slices"

	"github.com/holdfast-go/holdfast/asr"
)

// job is one call of Transcribe.
type job struct {
	worker *worker
	number int
	open   []asr.Utterance // not answered yet
	yield  func(asr.Transcript, error) bool
}

// run reports whether the process can be used again.
func (j *job) run(ctx context.Context, t *Transcriber) bool {
	w := j.worker
	w.jobs++
	j.number = w.jobs
	w.utterances += len(j.open)
	order := request{Op: "transcribe", Job: j.number}
	languages := map[string]string{}
	for _, u := range j.open {
		prompt := t.prompt(u)
		languages[u.ID] = prompt["target_lang"]
		order.Items = append(order.Items, item{ID: u.ID, Path: u.Path, Seconds: u.Duration.Seconds(), Prompt: prompt})
	}
	j.open = slices.Clone(j.open)
	w.send(order)
	for {
		e, err := w.next(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			usable := j.cancel(languages)
			j.fail(context.Cause(ctx))
			return usable
		case err != nil:
			j.yield(asr.Transcript{}, t.why(err))
			return false
		case e.Job != j.number:
		case e.Event == "done":
			w.memory = e.Memory
			j.fail(asr.ErrNoResult)
			return true
		case !j.answer(&e, languages):
			j.yield = nil
			return j.cancel(languages)
		}
	}
}

// answer passes a result or an error on. It reports whether more are wanted.
func (j *job) answer(e *event, languages map[string]string) bool {
	i := slices.IndexFunc(j.open, func(u asr.Utterance) bool { return u.ID == e.ID })
	if i < 0 || j.yield == nil {
		return true
	}
	u := j.open[i]
	j.open = slices.Delete(j.open, i, i+1)
	switch e.Event {
	case "result":
		return j.yield(e.transcript(u, languages[u.ID]), nil)
	case "failed":
		return j.yield(asr.Transcript{}, &asr.UtteranceError{ID: u.ID, Path: u.Path, Err: e.failure(), Stderr: j.worker.said.String()})
	}
	return true
}

// cancel stops the work. What comes until then is still passed on, to whom
// wants it. It reports whether the process stopped in time and can be used
// again.
func (j *job) cancel(languages map[string]string) bool {
	ctx, end := context.WithTimeout(context.Background(), patience)
	defer end()
	j.worker.send(request{Op: "cancel", Job: j.number})
	for {
		e, err := j.worker.next(ctx)
		if err != nil {
			return false
		}
		if e.Job != j.number {
			continue
		}
		if e.Event == "done" {
			return true
		}
		if !j.answer(&e, languages) {
			j.yield = nil
		}
	}
}

// fail says of everything that is open why it has no transcript.
func (j *job) fail(cause error) {
	for _, u := range j.open {
		if j.yield == nil || !j.yield(asr.Transcript{}, &asr.UtteranceError{ID: u.ID, Path: u.Path, Err: cause}) {
			return
		}
	}
}
