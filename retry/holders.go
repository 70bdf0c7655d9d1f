package retry

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/sysfs"
)

// Holder is a process that has a file open.
type Holder struct {
	PID     int
	Name    string
	Started time.Time // zero where the system does not say
	Self    bool      // it is this process: a handle of ours was not closed
}

func (h Holder) String() string {
	if h.Self {
		return fmt.Sprintf("this process itself (%s, pid %d)", h.Name, h.PID)
	}
	return fmt.Sprintf("%s (pid %d)", h.Name, h.PID)
}

// Holders lists the processes that have one of the files open: on Windows by the Restart Manager, on Linux by
// /proc, elsewhere it answers errors.ErrUnsupported.
//
// An empty list reads "unknown", never "nobody": drivers, network clients and processes of other users are not
// seen. On Windows a call costs milliseconds.
func Holders(ctx context.Context, paths ...string) ([]Holder, error) {
	found, err := sysfs.Holders(ctx, paths)
	holders := make([]Holder, len(found))
	for i, h := range found {
		holders[i] = Holder(h)
	}
	return holders, err
}
