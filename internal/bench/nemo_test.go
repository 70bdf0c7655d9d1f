package bench

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/holdfast-go/holdfast/asr/nemo"
	"github.com/holdfast-go/holdfast/internal/lane"
)

//go:embed peer_nemo.py
var bareNeMo string

// BenchmarkNeMo is forty recordings, through the library and through a script around NeMo's own transcribe.
func BenchmarkNeMo(b *testing.B) {
	interpreter, models := lane.NeMo(b)
	model := filepath.Join(models, "tiny-ctc-bpe.nemo")
	const count = 40
	r := newRuns(b, count)
	compare(b, "", []variant{
		{"holdfast", func(b *testing.B) {
			engine, err := nemo.Open(b.Context(), nemo.Config{Python: interpreter, Model: model, Root: r.root, Device: "cpu", Threads: 1})
			if err != nil {
				b.Fatal(err)
			}
			defer engine.Close()
			r.through(b, engine) // the first calls of a process are slow
			b.ResetTimer()
			for b.Loop() {
				r.through(b, engine)
			}
			perRecording(b, count)
		}},
		{"bare", func(b *testing.B) {
			p := startPython(b, interpreter, bareNeMo, model, r.in)
			if err := p.do(1); err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			for b.Loop() {
				if err := p.do(1); err != nil {
					b.Fatal(err)
				}
			}
			perRecording(b, count)
		}},
		{"script-each", func(b *testing.B) {
			for b.Loop() {
				cmd := exec.Command(interpreter, "-c", bareNeMo, model, filepath.Join(r.in, "00.wav"), "once")
				cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "OMP_NUM_THREADS=1")
				if err := cmd.Run(); err != nil {
					b.Fatal(err)
				}
			}
			perRecording(b, 1)
		}},
	})
}
