//go:build !windows

package bench

import (
	"context"
	"errors"
	"os"

	"github.com/google/renameio/v2"
)

// moreReplacers has those that are not there on Windows.
func moreReplacers() []replacer {
	return []replacer{
		{"renameio", func(_ context.Context, name string, data []byte) error {
			return renameio.WriteFile(name, data, 0o600)
		}},
	}
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
