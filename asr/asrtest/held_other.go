//go:build !linux

package asrtest

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/retry"
)

// held names a file that cannot be renamed, which on Windows means that
// somebody has them open. Elsewhere nothing shows it.
func held(paths []string, _ []process) []holding {
	for _, path := range paths {
		aside := path + ".aside"
		err := (retry.FS{}).Rename(context.Background(), path, aside)
		if err == nil {
			err = (retry.FS{}).Rename(context.Background(), aside, path)
		}
		if failed, ok := errors.AsType[*retry.Error](err); ok && errors.Is(err, retry.ErrLocked) {
			holder := "somebody"
			if len(failed.Holders) > 0 {
				holder = failed.Holders[0].String()
			}
			return []holding{{holder, path}} // to ask for all costs a wait each
		}
	}
	return nil
}

// heldBelow has nothing to add: what is held shows when it is to be deleted.
func heldBelow(string) []holding { return nil }
