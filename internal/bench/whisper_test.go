package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/internal/lane"
)

// BenchmarkWhisper is ten recordings, through the library and as a shell script would do it.
func BenchmarkWhisper(b *testing.B) {
	binary, model := lane.WhisperCPP(b), lane.WhisperModel(b)
	const count = 10
	r := newRuns(b, count)
	open := func(b *testing.B, config whispercpp.Config) *whispercpp.Transcriber {
		config.Model, config.Root, config.Language = model, r.root, "en"
		engine, err := whispercpp.Open(b.Context(), config)
		if err != nil {
			b.Fatal(err)
		}
		return engine
	}
	for _, beams := range []int{5, 1} {
		ours := func(b *testing.B, config whispercpp.Config) {
			engine := open(b, config)
			defer engine.Close()
			r.through(b, engine)
		}
		ways := map[string]func(b *testing.B){
			"holdfast": func(b *testing.B) { ours(b, whispercpp.Config{Binary: binary, Beams: beams}) },
			"shell-loop": func(b *testing.B) {
				shell(b, r.in, count, `for f in "$1"/*.wav; do `+whisper(`"$f"`)+`; done`, binary, model, beams)
			},
			"one-call": func(b *testing.B) { shell(b, r.in, count, whisper(`"$1"/*.wav`), binary, model, beams) },
		}
		if server := os.Getenv("HOLDFAST_WHISPER_SERVER"); beams == 1 && server != "" {
			ways["holdfast-server"] = func(b *testing.B) { ours(b, whispercpp.Config{Server: server}) }
		}
		var variants []variant
		for by, run := range ways {
			variants = append(variants, variant{by, func(b *testing.B) {
				for b.Loop() {
					run(b)
				}
				perRecording(b, count)
			}})
		}
		compare(b, fmt.Sprintf("beams=%d/", beams), variants)
	}
}

// whisper is the command with what the library asks for. Its results lie beside the recordings.
func whisper(files string) string {
	return `"$2" -m "$3" -ojf -np -l en -bs "$4" -bo "$4" ` + files + ` >/dev/null 2>&1`
}

func shell(b *testing.B, in string, count int, script, binary, model string, beams int) {
	if err := exec.Command("sh", "-c", script, "sh", in, binary, model, fmt.Sprint(beams)).Run(); err != nil {
		b.Fatal(err)
	}
	made, err := filepath.Glob(filepath.Join(in, "*.json"))
	if err != nil || len(made) != count {
		b.Fatalf("%d of %d recordings have a result: %v", len(made), count, err)
	}
	for _, name := range made {
		if err := os.Remove(name); err != nil {
			b.Fatal(err)
		}
	}
}
