package asrtest_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/asrtest"
	"github.com/holdfast-go/holdfast/manifest"
)

// subtitle is an application's function under test.
func subtitle(ctx context.Context, engine asr.Transcriber, path string) string {
	batch := []asr.Utterance{{ID: "1", Source: manifest.Entry{AudioPath: path}}}
	for transcript, err := range engine.Transcribe(ctx, batch) {
		if err != nil {
			return fmt.Sprintf("(%v)", err)
		}
		return transcript.Text
	}
	return "(nothing)"
}

// An application's test decides what is heard in which recording.
func ExampleNewFake() {
	fake := asrtest.NewFake(asrtest.Script{Answers: map[string]asrtest.Answer{
		"hello.wav": {Text: "Hello there."},
		"noise.wav": {Err: asr.ErrBadAudio},
	}})
	for _, path := range []string{"in/hello.wav", "in/noise.wav", "in/another.wav"} {
		fmt.Println(subtitle(context.Background(), fake, path))
	}
	fmt.Println(len(fake.Asked()), "calls")
	// Output:
	// Hello there.
	// (transcribe: bad audio)
	// another.wav
	// 3 calls
}

// The engine dies at its second utterance, and works again.
func ExampleScript_rule() {
	fake := asrtest.NewFake(asrtest.Script{Rule: func(n int, u asr.Utterance) asrtest.Answer {
		if n == 1 {
			return asrtest.Answer{Err: &asr.EngineError{Engine: "fake", ExitCode: 137, Err: asr.ErrOutOfMemory}}
		}
		return asrtest.Answer{Text: fmt.Sprintf("utterance %d", n)}
	}})
	for range 3 {
		fmt.Println(subtitle(context.Background(), fake, "a.wav"))
	}
	// Output:
	// utterance 0
	// (engine fake: out of memory (exit code 137))
	// utterance 2
}
