package bench

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/holdfast-go/holdfast/tempdir"
)

// BenchmarkStage brings a recording of 100 MB into a job's folder. Staging also hashes it, by which a result is found
// again, and looks whether it changed meanwhile; "cp-sha256sum" is what that takes with two programs.
func BenchmarkStage(b *testing.B) {
	dir, err := os.MkdirTemp("", "hf-") // a root's path must be short
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	src := filepath.Join(dir, "src.wav")
	sound := bytes.Repeat([]byte("sound..."), 100e6/8)
	if err := os.WriteFile(src, sound, 0o600); err != nil {
		b.Fatal(err)
	}
	root, err := tempdir.Open(b.Context(), filepath.Join(dir, "root"), tempdir.Options{})
	if err != nil {
		b.Fatal(err)
	}
	scope, err := root.NewScope(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	defer scope.Close()
	copied := filepath.Join(dir, "copy.wav")

	var variants []variant
	for _, way := range []struct {
		by    string
		stage func(b *testing.B) (string, error)
	}{
		{"holdfast", func(b *testing.B) (string, error) {
			staged, err := scope.Stage(b.Context(), src)
			return staged.Path, err
		}},
		{"sha256", func(b *testing.B) (string, error) { return "", hashFile(src) }},
		{"cp", func(b *testing.B) (string, error) { return copied, program(b, "cp", src, copied) }},
		{"cp-sha256sum", func(b *testing.B) (string, error) {
			if err := program(b, "cp", src, copied); err != nil {
				return "", err
			}
			return copied, program(b, "sha256sum", copied)
		}},
		{"io.Copy", func(*testing.B) (string, error) { return copied, copyFile(src, copied, io.Discard) }},
		{"io.Copy-sha256", func(*testing.B) (string, error) { return copied, copyFile(src, copied, sha256.New()) }},
	} {
		variants = append(variants, variant{way.by, func(b *testing.B) {
			b.SetBytes(int64(len(sound)))
			for b.Loop() {
				name, err := way.stage(b)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := os.RemoveAll(name); err != nil { // of nothing if there is no copy
					b.Fatal(err)
				}
				b.StartTimer()
			}
		}})
	}
	compare(b, "", variants)
}

func program(b *testing.B, name string, args ...string) error {
	exe, err := exec.LookPath(name)
	if err != nil {
		b.Skip("there is no " + name + " to compare with")
	}
	return exec.Command(exe, args...).Run()
}

func hashFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(sha256.New(), f)
	return err
}

// copyFile copies, and hashes on the way unless hash is io.Discard.
func copyFile(src, dst string, hash io.Writer) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(dst)
	if err != nil {
		return err
	}
	defer out.Close()
	if hash == io.Discard {
		_, err = io.Copy(out, in)
	} else {
		_, err = io.Copy(io.MultiWriter(out, hash), in)
	}
	return err
}
