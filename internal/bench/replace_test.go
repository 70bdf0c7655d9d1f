package bench

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/moby/sys/atomicwriter"
	"github.com/natefinch/atomic"
	"tailscale.com/atomicfile"

	"github.com/holdfast-go/holdfast/retry"
)

// replacer puts data under a name, whole or not at all.
type replacer struct {
	by   string
	save func(ctx context.Context, name string, data []byte) error
}

func replacers() []replacer {
	return append([]replacer{
		{"holdfast", func(ctx context.Context, name string, data []byte) error {
			return retry.FS{}.WriteFile(ctx, name, data)
		}},
		{"hand", func(_ context.Context, name string, data []byte) error {
			return errors.Join(saveByHand(name, data), syncFolder(filepath.Dir(name)))
		}},
		{"hand-file-only", func(_ context.Context, name string, data []byte) error { return saveByHand(name, data) }},
		{"natefinch", func(_ context.Context, name string, data []byte) error {
			return atomic.WriteFile(name, bytes.NewReader(data))
		}},
		{"tailscale", func(_ context.Context, name string, data []byte) error {
			return atomicfile.WriteFile(name, data, 0o600)
		}},
		{"moby", func(_ context.Context, name string, data []byte) error {
			return atomicwriter.WriteFile(name, data, 0o600)
		}},
	}, moreReplacers()...)
}

// saveByHand is the usual sequence without a library.
func saveByHand(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "save-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func BenchmarkReplace(b *testing.B) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 4096/16)
	var variants []variant
	for _, r := range replacers() {
		variants = append(variants, variant{r.by, func(b *testing.B) {
			name := filepath.Join(b.TempDir(), "manifest.json")
			for b.Loop() {
				if err := r.save(b.Context(), name, data); err != nil {
					b.Fatal(err)
				}
			}
		}})
	}
	compare(b, "", variants)
}
