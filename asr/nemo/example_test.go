package nemo_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/nemo"
	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/tempdir"
)

func Example() {
	ctx := context.Background()
	root, err := tempdir.Open(ctx, "", tempdir.Options{})
	if err != nil {
		log.Fatal(err)
	}
	engine, err := nemo.Open(ctx, nemo.Config{
		Python: "venv/bin/python", // with nemo_toolkit[asr] installed
		Model:  "nvidia/parakeet-tdt-0.6b-v3",
		Root:   root,
		Words:  true,
		Trace:  nemo.Trace{Step: func(step string) { fmt.Println(step) }},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()
	journal, err := manifest.OpenJournal(ctx, "journal.jsonl", manifest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer journal.Close()

	recordings := asr.Files(ctx, "recordings")
	for transcript, err := range asr.Stream(ctx, engine, recordings, asr.Options{Root: root, Journal: journal}) {
		if err != nil {
			fmt.Println(err) // of one recording, or what ended the run
			continue
		}
		fmt.Println(transcript.Source.AudioPath, transcript.Text)
	}
}

// A Gradio page in front of NeMo: the page only takes uploads and shows texts.
// It says the path of each upload on its stdout and reads the text on its stdin.
// Uploads and everything that the engine writes share one root. The other way
// round, with Python as the parent, is in docs/gradio.md.
func Example_gradio() {
	ctx := context.Background()
	root, err := tempdir.Open(ctx, "", tempdir.Options{})
	if err != nil {
		log.Fatal(err)
	}
	uploads, err := root.Cache(ctx, "gradio") // kept from job to job
	if err != nil {
		log.Fatal(err)
	}
	engine, err := nemo.Open(ctx, nemo.Config{Python: "venv/bin/python", Model: "model.nemo", Root: root})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()
	journal, err := manifest.OpenJournal(ctx, "journal.jsonl", manifest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer journal.Close()

	page := exec.CommandContext(ctx, "venv/bin/python", "app.py")
	page.Env = append(os.Environ(), "GRADIO_TEMP_DIR="+uploads)
	page.Stderr = os.Stderr
	paths, err := page.StdoutPipe()
	if err != nil {
		log.Fatal(err)
	}
	texts, err := page.StdinPipe()
	if err != nil {
		log.Fatal(err)
	}
	if err := page.Start(); err != nil {
		log.Fatal(err)
	}
	for lines := bufio.NewScanner(paths); lines.Scan(); {
		// The upload is copied first: Gradio may empty its folder meanwhile.
		upload := asr.Files(ctx, lines.Text())
		heard := "error: nothing to transcribe"
		for transcript, err := range asr.Stream(ctx, engine, upload, asr.Options{Root: root, Journal: journal}) {
			if heard = transcript.Text; err != nil {
				heard = "error: " + err.Error()
			}
		}
		// One line for each path, whatever happened: else the next upload would get this one's text.
		fmt.Fprintln(texts, strings.Join(strings.Fields(heard), " "))
	}
	if err := page.Wait(); err != nil {
		log.Fatal(err)
	}
}
