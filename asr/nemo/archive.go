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
	"os"
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
	sum      string                 // SHA-256 of all its bytes
	files    map[string]fs.FileInfo // that were read; by these a change is noticed later
	settings settings
}

// inspect reads the whole model once: it must be complete, and its bytes name
// it. The errors of a model that cannot be used wrap asr.ErrBadModel.
func inspect(ctx context.Context, files retry.FS, path string) (model, error) {
	info, err := files.Stat(ctx, path)
	if err != nil {
		return model{}, err
	}
	m := model{path: path, files: map[string]fs.FileInfo{}}
	read := m.readArchive
	if info.IsDir() {
		read = m.readDirectory
	}
	config, err := read(ctx, files)
	if err == nil {
		m.settings, err = parseSettings(config)
	}
	if err != nil {
		return model{}, fmt.Errorf("model %s: %w", path, err)
	}
	return m, nil
}

// unchanged refuses files other than those that were read.
func (m *model) unchanged(ctx context.Context, files retry.FS) error {
	for path, old := range m.files {
		now, err := files.Stat(ctx, path)
		if err != nil {
			return err
		}
		if !os.SameFile(now, old) || now.Size() != old.Size() || !now.ModTime().Equal(old.ModTime()) {
			return fmt.Errorf("%w: %s has changed since the engine was opened; open it again", asr.ErrBadModel, path)
		}
	}
	return nil
}

// open opens a file of the model and remembers which one it is.
func (m *model) open(ctx context.Context, files retry.FS, path string) (*retry.File, error) {
	f, err := files.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	if m.files[path], err = f.Stat(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (m *model) readArchive(ctx context.Context, files retry.FS) (config []byte, err error) {
	f, err := m.open(ctx, files, m.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	source := &reader{ctx: ctx, Reader: f}
	hash := sha256.New()
	whole := io.TeeReader(source, hash)
	config, err = walk(whole)
	if err == nil {
		_, err = io.Copy(io.Discard, whole) // what is behind the last entry
	}
	switch {
	case source.err != nil: // which says nothing about the model
		return nil, source.err
	case err != nil:
		return nil, fmt.Errorf("%w: it is no whole .nemo file: %w", asr.ErrBadModel, err)
	}
	m.sum = hex.EncodeToString(hash.Sum(nil))
	return config, nil
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
func (m *model) readDirectory(ctx context.Context, files retry.FS) (config []byte, err error) {
	entries, err := files.ReadDir(ctx, m.path)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	hash := sha256.New()
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		names[e.Name()] = true
		if err := m.hashFile(ctx, files, hash, e.Name()); err != nil {
			return nil, err
		}
	}
	if !names[configName] || !names[weightsName] {
		return nil, fmt.Errorf("%w: the directory lacks %s or %s", asr.ErrBadModel, configName, weightsName)
	}
	m.sum = hex.EncodeToString(hash.Sum(nil))
	f, err := files.Open(ctx, filepath.Join(m.path, configName))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readConfig(f)
}

func (m *model) hashFile(ctx context.Context, files retry.FS, hash io.Writer, name string) error {
	path := filepath.Join(m.path, name)
	f, err := m.open(ctx, files, path)
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintf(hash, "%q %d\n", name, m.files[path].Size())
	_, err = io.Copy(hash, &reader{ctx: ctx, Reader: f})
	return err
}

func readConfig(r io.Reader) ([]byte, error) {
	config, err := io.ReadAll(io.LimitReader(r, maxConfig+1))
	if err == nil && len(config) > maxConfig {
		err = fmt.Errorf("%s is bigger than %d bytes", configName, maxConfig)
	}
	return config, err
}

// reader ends when the context does, as a model may have gigabytes. It tells
// its own failures from those of whoever reads.
type reader struct {
	ctx context.Context
	io.Reader
	err error
}

func (r *reader) Read(p []byte) (n int, err error) {
	if err = context.Cause(r.ctx); err == nil {
		n, err = r.Reader.Read(p)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}
