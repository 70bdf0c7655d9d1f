package nemo

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/retry"
)

// A .nemo file is a tar, by older versions a compressed one, with these in it
// (nemo/core/connectors/save_restore_connector.py).
const (
	configName  = "model_config.yaml"
	weightsName = "model_weights.ckpt"
)

// maxConfig is far beyond what any model needs; the biggest vocabularies make
// a configuration of a few hundred KiB.
const maxConfig = 16 << 20

// model is what is known without Python.
type model struct {
	path     string
	sum      string // SHA-256 of all its bytes
	settings settings
}

// inspect reads the whole model once: it must be complete, and its bytes name
// it. The errors of a model that cannot be used wrap asr.ErrBadModel.
func inspect(ctx context.Context, files retry.FS, path string) (model, error) {
	info, err := files.Stat(ctx, path)
	if err != nil {
		return model{}, err
	}
	m := model{path: path}
	read := readArchive
	if info.IsDir() {
		read = readDirectory
	}
	config, sum, err := read(ctx, files, path)
	if err == nil {
		m.sum = sum
		m.settings, err = parseSettings(config)
	}
	if err != nil {
		return model{}, fmt.Errorf("model %s: %w", path, err)
	}
	return m, nil
}

func readArchive(ctx context.Context, files retry.FS, path string) (config []byte, sum string, err error) {
	f, err := files.Open(ctx, path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	hash := sha256.New()
	whole := io.TeeReader(reader{ctx, f}, hash)
	found, err := walk(whole)
	if ctx.Err() != nil {
		return nil, "", context.Cause(ctx)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%w: it is no whole .nemo file: %w", asr.ErrBadModel, err)
	}
	if _, err := io.Copy(io.Discard, whole); err != nil { // what is behind the last entry
		return nil, "", err
	}
	return found, hex.EncodeToString(hash.Sum(nil)), nil
}

// walk reads an archive to its end and gives the configuration.
func walk(r io.Reader) (config []byte, err error) {
	buffered := bufio.NewReaderSize(r, 1<<20)
	var plain io.Reader = buffered
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		if plain, err = gzip.NewReader(buffered); err != nil {
			return nil, err
		}
	}
	weights := false
	archive := tar.NewReader(plain)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch path.Base(header.Name) {
		case configName:
			if config, err = readConfig(archive); err != nil {
				return nil, err
			}
		case weightsName:
			weights = true
		}
		if _, err := io.Copy(io.Discard, archive); err != nil {
			return nil, err
		}
	}
	if config == nil || !weights {
		return nil, fmt.Errorf("it lacks %s or %s", configName, weightsName)
	}
	return config, nil
}

// readDirectory reads an unpacked model; its files' names count too.
func readDirectory(ctx context.Context, files retry.FS, dir string) (config []byte, sum string, err error) {
	entries, err := files.ReadDir(ctx, dir)
	if err != nil {
		return nil, "", err
	}
	names := map[string]bool{}
	hash := sha256.New()
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		names[e.Name()] = true
		if err := hashFile(ctx, files, hash, dir, e.Name()); err != nil {
			return nil, "", err
		}
	}
	if !names[configName] || !names[weightsName] {
		return nil, "", fmt.Errorf("%w: the directory lacks %s or %s", asr.ErrBadModel, configName, weightsName)
	}
	f, err := files.Open(ctx, filepath.Join(dir, configName))
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	config, err = readConfig(f)
	return config, hex.EncodeToString(hash.Sum(nil)), err
}

func hashFile(ctx context.Context, files retry.FS, hash io.Writer, dir, name string) error {
	f, err := files.Open(ctx, filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	fmt.Fprintf(hash, "%q %d\n", name, info.Size())
	_, err = io.Copy(hash, reader{ctx, f})
	return err
}

func readConfig(r io.Reader) ([]byte, error) {
	config, err := io.ReadAll(io.LimitReader(r, maxConfig+1))
	if err == nil && len(config) > maxConfig {
		err = fmt.Errorf("%s is bigger than %d bytes", configName, maxConfig)
	}
	return config, err
}

// reader ends when the context does: a model may have gigabytes.
type reader struct {
	ctx context.Context
	io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}
