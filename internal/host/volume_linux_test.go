package host

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestVolumeCountsInFragments(t *testing.T) {
	st := unix.Statfs_t{Blocks: 1000, Bavail: 10, Bsize: 1 << 20, Frsize: 4096}
	free, total := space(&st)
	require.EqualValues(t, 10*4096, free)
	require.EqualValues(t, 1000*4096, total)

	st.Frsize = 0 // not said: the block is the unit
	free, total = space(&st)
	require.EqualValues(t, 10<<20, free)
	require.EqualValues(t, 1000<<20, total)
}
