package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/examples/internal/engine"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// trialCheck begins the names of these checks.
const trialCheck = "try "

// tryEngines lets the engines that are here transcribe a second of silence: a
// program that tells its version may still lack a driver, or an instruction of
// the processor.
func (d *doctor) tryEngines(ctx context.Context, root *tempdir.Root) {
	if d.python != "" {
		d.tell(d.try(ctx, root, trialCheck+"NeMo", engine.Choice{Name: engine.NeMo, Python: d.python, Model: d.model},
			"name a model of NeMo by -model: a .nemo file, or owner/name"))
		return
	}
	choice := engine.Choice{Name: engine.WhisperCPP, Binary: d.binary, Model: d.model}
	if choice.Binary == "" {
		choice.Binary = d.whisper()
	}
	if choice.Model == "" {
		if models := d.fetchedModels(); len(models) > 0 {
			choice.Model = models[len(models)-1]
		}
	}
	if choice.Binary == "" || choice.Model == "" {
		d.tell(finding{Check: trialCheck + "whisper.cpp", Status: note, Text: "it cannot be tried before its program and a model are here"})
		return
	}
	d.tell(d.try(ctx, root, trialCheck+"whisper.cpp", choice, "install whisper.cpp anew, or name another by -binary"))
}

func (d *doctor) try(ctx context.Context, root *tempdir.Root, check string, choice engine.Choice, do string) finding {
	report, err := d.transcribe(ctx, root, choice)
	d.doing("")
	if err != nil {
		return finding{Check: check, Status: problem, Text: err.Error(), Do: do}
	}
	return finding{Check: check, Status: ok, Text: fmt.Sprintf("it transcribed a second of silence with %s in %.1f s", filepath.Base(choice.Model), report.Elapsed.Seconds()),
		Detail: map[string]float64{"seconds": report.Elapsed.Seconds()}}
}

// transcribe runs a whole job of one second.
func (d *doctor) transcribe(ctx context.Context, root *tempdir.Root, choice engine.Choice) (report asr.Report, err error) {
	if err := choice.Check(); err != nil {
		return report, err
	}
	d.doing("starting " + choice.Name)
	scope, err := root.NewScope(ctx, "doctor")
	if err != nil {
		return report, err
	}
	defer scope.Close()
	recording := scope.Path("second.wav")
	if err := d.fs.WriteFile(ctx, recording, content(recording)); err != nil {
		return report, err
	}
	journal, err := manifest.OpenJournal(ctx, scope.Path("journal.jsonl"), manifest.Options{FS: d.fs})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	opened, err := choice.Open(ctx, root, nil, func(p whispercpp.Progress) { d.doing(p.Doing) })
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	report, err = asr.Run(ctx, opened, asr.Files(ctx, recording), asr.Options{Root: root, Journal: journal, FS: d.fs})
	for failed := range asr.Failures(err) {
		failed.Path = "" // it is a file of ours
		return report, failed
	}
	return report, err
}
