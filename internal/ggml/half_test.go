package ggml

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHalfRoundTrip(t *testing.T) {
	for h := range uint32(1 << 16) {
		f := halfToFloat(uint16(h))
		if h&0x7c00 == 0x7c00 && h&0x3ff != 0 {
			if f == f {
				t.Fatalf("%#04x is %g, not NaN", h, f)
			}
			continue
		}
		if back := Half(f); back != uint16(h) {
			t.Fatalf("%#04x is %g, and that is %#04x", h, f, back)
		}
	}
}

// Between two neighbours the nearer wins, and the even one at the middle.
func TestHalfRounding(t *testing.T) {
	for h := range uint16(0x7bff) {
		low, high := float64(halfToFloat(h)), float64(halfToFloat(h+1))
		middle := (low + high) / 2 // exact, also as float32
		below, above := math.Nextafter32(float32(middle), 0), math.Nextafter32(float32(middle), math.MaxFloat32)
		if Half(float32(middle)) != h+h&1 || Half(below) != h || Half(above) != h+1 {
			t.Fatalf("around %g: %#04x %#04x %#04x", middle, Half(below), Half(float32(middle)), Half(above))
		}
	}
	for _, c := range []struct {
		f    float32
		want uint16
	}{
		{1, 0x3c00}, {-2, 0xc000}, {65504, 0x7bff}, {65519.996, 0x7bff}, {65520, 0x7c00},
		{-math.MaxFloat32, 0xfc00}, {float32(math.Inf(1)), 0x7c00}, {1e-30, 0}, {5.9604645e-8, 1},
	} {
		require.Equal(t, c.want, Half(c.f), "%g", c.f)
	}
	require.True(t, math.IsNaN(float64(halfToFloat(Half(float32(math.NaN()))))))
}
