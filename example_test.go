package holdfast_test

import (
	"context"
	"fmt"
	"log"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// The README shows the body of this function.
func Example() {
	ctx := context.Background()
	root := must(tempdir.Open(ctx, "", tempdir.Options{})) // validated before any engine starts
	journal := must(manifest.OpenJournal(ctx, "journal.jsonl", manifest.Options{}))
	defer journal.Close()
	var fetcher whispercpp.Fetcher
	engine := must(whispercpp.Open(ctx, whispercpp.Config{
		Binary: must(fetcher.Binary(ctx)), Model: must(fetcher.Model(ctx, "tiny.en")), Root: root,
	}))
	defer engine.Close()
	options := asr.Options{Root: root, Journal: journal}
	for t, err := range asr.Stream(ctx, engine, asr.Files(ctx, "recordings"), options) {
		if err != nil {
			log.Print(err) // names the recording and the cause; the others go on
			continue
		}
		fmt.Println(t.Source.AudioPath, t.Text) // it is in the journal, on disk
	}
}
