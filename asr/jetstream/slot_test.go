package jetstream

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The pause before the next try gets longer, up to a minute, however many tries
// there may be.
func TestBackOff(t *testing.T) {
	for tries, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 35: time.Minute, math.MaxInt: time.Minute} {
		require.Equal(t, want, backOff(tries), tries)
	}
}
