package manifest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/manifest"
)

func ExampleRead() {
	lines := `{"audio_filepath": "a.wav", "duration": 2.5, "speaker": "s1"}
{"audio_filepath": "b.wav", "duration": "long"}
{"audio_filepath": "c.wav", "duration": 3}`
	for e, err := range manifest.Read(strings.NewReader(lines), manifest.Options{}) {
		if bad, ok := errors.AsType[*manifest.LineError](err); ok {
			fmt.Printf("line %d: %v\n", bad.Line, bad.Err)
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(e.AudioPath, e.Duration)
	}
	// Output:
	// a.wav 2.5s
	// line 2: "duration" is the string "long", not a number of seconds
	// c.wav 3s
}

func ExampleFields() {
	var e manifest.Entry
	line := `{"speaker": "s1", "audio_filepath": "a.wav", "snr": 1.50}`
	if err := e.UnmarshalJSON([]byte(line)); err != nil {
		log.Fatal(err)
	}
	e.PredText = "grün"
	if err := e.Extra.Set("speaker", "s2"); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", e.AppendJSON(nil))
	for name, value := range e.Extra.All() {
		fmt.Printf("%s = %s\n", name, value)
	}
	// Output:
	// {"speaker": "s2", "audio_filepath": "a.wav", "snr": 1.50, "pred_text": "gr\u00fcn"}
	// speaker = "s2"
	// snr = 1.50
}

func ExampleSplit() {
	entries := []manifest.Entry{
		{AudioPath: "long.wav", Duration: 4 * time.Second},
		{AudioPath: "short.wav", Duration: time.Second},
		{AudioPath: "middle.wav", Duration: 2 * time.Second},
	}
	for i, shard := range manifest.Split(entries, 2) {
		for _, e := range shard {
			fmt.Println(i, e.AudioPath, e.Duration)
		}
	}
	// Output:
	// 0 long.wav 4s
	// 1 short.wav 1s
	// 1 middle.wav 2s
}

func ExampleShardNames() {
	names, err := manifest.ShardNames("manifest__OP_0..2_CL_.json")
	fmt.Println(names, err)
	// Output: [manifest_0.json manifest_1.json manifest_2.json] <nil>
}

func ExampleJournal() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	j, err := manifest.OpenJournal(ctx, filepath.Join(dir, "results.jsonl"), manifest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer j.Close()
	for _, name := range []string{"a.wav", "b.wav", "a.wav"} {
		if _, done := j.Lookup(name); done {
			fmt.Println(name, "is done")
			continue
		}
		e := manifest.Entry{AudioPath: name, PredText: "what was said"}
		if err := j.Append(ctx, name, e); err != nil {
			log.Fatal(err)
		}
	}
	if err := j.Publish(ctx, filepath.Join(dir, "results.json")); err != nil {
		log.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "results.json"))
	fmt.Printf("%s%v\n", data, err)
	// Output:
	// a.wav is done
	// {"audio_filepath": "a.wav", "pred_text": "what was said"}
	// {"audio_filepath": "b.wav", "pred_text": "what was said"}
	// <nil>
}
