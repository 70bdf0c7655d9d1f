package jetstream_test

import (
	"context"
	"log"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/jetstream"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

// Whoever has the recordings hands them in and waits for the transcripts.
func ExampleFleet_Submit() {
	ctx := context.Background()
	fleet := must(jetstream.Connect(ctx, jetstream.Config{URL: "nats://office:4222", Token: "secret"}))
	defer fleet.Close()
	journal := must(manifest.OpenJournal(ctx, "journal.jsonl", manifest.Options{}))
	defer journal.Close()

	must(fleet.Submit(ctx, "talks", asr.Files(ctx, "recordings"), jetstream.SubmitOptions{Journal: journal}))
	report, err := fleet.Collect(ctx, "talks", journal, jetstream.CollectOptions{})
	for failed := range asr.Failures(err) {
		log.Print(failed) // the others are in the journal
	}
	log.Printf("%d of %d", report.Done+report.Resumed, report.Total)
	if err := fleet.Publish(ctx, "talks", journal, "transcripts.json", manifest.Options{}); err != nil {
		log.Fatal(err)
	}
}

// Each machine with an engine works. It may be started before the server, and be
// killed at any time.
func ExampleFleet_Work() {
	ctx := context.Background()
	root := must(tempdir.Open(ctx, "", tempdir.Options{}))
	journal := must(manifest.OpenJournal(ctx, "worker.jsonl", manifest.Options{})) // this worker's own
	defer journal.Close()
	var engine asr.Transcriber // of whispercpp.Open or nemo.Open
	fleet := must(jetstream.Connect(ctx, jetstream.Config{URL: "nats://office:4222", Token: "secret"}))
	defer fleet.Close()
	worked, err := fleet.Work(ctx, engine, jetstream.WorkOptions{Run: asr.Options{Root: root, Journal: journal}})
	log.Printf("%d transcribed: %v", worked.Done, err)
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
