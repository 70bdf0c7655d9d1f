package main

import (
	"context"
	"iter"
	"path/filepath"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
)

// plan is what a run has before it, as far as that can be seen quickly: the run
// itself goes by the recordings' content, and may find that one has changed.
type plan struct {
	all, done asr.Amount // what the input holds, and what of it the journal has
	exact     bool       // the length of every recording is known
}

// surveyLimit is how long a survey may look into recordings for their length.
// The others are judged by their size.
const surveyLimit = 3 * time.Second

// survey looks at the inputs' names and headers. It reads no sound.
func survey(ctx context.Context, in iter.Seq2[manifest.Entry, error], journal *manifest.Journal, engine asr.Engine, words bool) plan {
	s := surveyor{known: records(journal, engine.Name+" "+engine.Model, words), deadline: time.Now().Add(surveyLimit)}
	for entry, err := range in {
		if ctx.Err() != nil {
			break
		}
		s.plan.all.Utterances++
		if err == nil {
			s.add(ctx, entry)
		}
	}
	return s.end()
}

// place is a stretch of a recording.
type place struct {
	path   string // absolute
	offset time.Duration
}

// records gives the length of what the journal has from this engine. A change
// of its options, which are not in the record, goes unnoticed here.
func records(journal *manifest.Journal, engine string, words bool) map[place]time.Duration {
	known := map[place]time.Duration{}
	for _, e := range journal.All() {
		by, _ := e.Extra.Get("engine")
		if _, has := e.Extra.Get("words"); string(by) == `"`+engine+`"` && (has || !words) {
			known[place{e.AudioPath, e.Offset}] = e.Duration
		}
	}
	return known
}

type surveyor struct {
	plan     plan
	known    map[place]time.Duration
	deadline time.Time
	kinds    map[string]*kind // by extension
	last     string           // the recording that was looked into last, and its length
	length   time.Duration
}

// kind sums up the recordings of a format.
type kind struct {
	bytes, unknown int64 // size of those whose length is known, and of the others
	audio          time.Duration
}

func (s *surveyor) add(ctx context.Context, e manifest.Entry) {
	path := e.AudioPath
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if d, done := s.known[place{path, e.Offset}]; done && (e.Duration == 0 || e.Duration >= d) {
		s.plan.all.Audio += d
		s.plan.done.Audio += d
		s.plan.done.Utterances++
		return
	}
	if e.Duration > 0 {
		s.plan.all.Audio += e.Duration
		return
	}
	if path == s.last {
		s.plan.all.Audio += max(0, s.length-e.Offset)
		return
	}
	info, err := retry.FS{}.Stat(ctx, path)
	if err != nil {
		return // the run says so
	}
	k := s.kind(path)
	if time.Now().Before(s.deadline) {
		sound, err := asr.Inspect(ctx, path)
		if err != nil {
			return
		}
		if sound.Duration > 0 {
			s.last, s.length = path, sound.Duration
			s.plan.all.Audio += max(0, sound.Duration-e.Offset)
			k.bytes += info.Size()
			k.audio += sound.Duration
			return
		}
	}
	k.unknown += info.Size()
}

func (s *surveyor) kind(path string) *kind {
	ext := strings.ToLower(filepath.Ext(path))
	if s.kinds == nil {
		s.kinds = map[string]*kind{}
	}
	if s.kinds[ext] == nil {
		s.kinds[ext] = &kind{}
	}
	return s.kinds[ext]
}

// end judges the recordings that were not looked into by those that were.
func (s *surveyor) end() plan {
	s.plan.exact = true
	for _, k := range s.kinds {
		if k.unknown == 0 {
			continue
		}
		s.plan.exact = false
		if k.bytes == 0 {
			s.plan.all.Audio = 0 // nothing can be said of them, so nothing of the whole
			break
		}
		s.plan.all.Audio += time.Duration(float64(k.audio) / float64(k.bytes) * float64(k.unknown))
	}
	return s.plan
}
