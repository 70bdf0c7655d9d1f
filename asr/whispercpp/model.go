package whispercpp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/internal/ggml"
	"github.com/holdfast-go/holdfast/retry"
)

// inspectModel walks the model's tables and hashes its bytes.
func inspectModel(ctx context.Context, fs retry.FS, path string) (ggml.Model, string, error) {
	f, err := fs.Open(ctx, path)
	if err != nil {
		return ggml.Model{}, "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ggml.Model{}, "", err
	}
	model, err := ggml.Inspect(f, info.Size())
	if _, ok := errors.AsType[*ggml.FormatError](err); ok {
		return model, "", fmt.Errorf("model %s: %w: %w", path, asr.ErrBadModel, err)
	}
	if err != nil {
		return model, "", err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return model, "", err
	}
	return model, hex.EncodeToString(sum.Sum(nil)), nil
}

// modelName is what people call the model: ggml-tiny.en.bin is tiny.en.
func modelName(path string) string {
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "ggml-"), ".bin")
}

// modelLanguage decides the language for a model. Asked for German, a model
// that knows only English transcribes as if nothing were wrong.
func modelLanguage(m ggml.Model, language string) (string, error) {
	switch {
	case language != "" && !knownLanguage(language):
		return "", fmt.Errorf("language %q is not one that Whisper knows; use a code such as en or de", language)
	case m.Multilingual && language == "":
		return "auto", nil
	case m.Multilingual:
		return language, nil
	case language == "" || language == "en" || language == "auto":
		return "en", nil
	}
	return "", fmt.Errorf("the model knows English only, not %q; use a model without .en in its name", language)
}

func knownLanguage(code string) bool {
	return code == "auto" || strings.Contains(languages, " "+code+" ")
}

// languages are Whisper's, in the order of its tokens (whisper.cpp, g_lang).
const languages = " en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg " +
	"lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd " +
	"gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue "
