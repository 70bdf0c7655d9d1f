package asr_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
)

// A finished run of 10,000 recordings again: all of its time is reading the
// journal, looking at the folder and hashing.
func BenchmarkResume(b *testing.B) {
	const recordings = 10_000
	bench := newBench(b, 0)
	for n := range recordings {
		recording := wav(n%60000, 10*time.Millisecond)
		recording[50], recording[51] = byte(n), byte(n>>8)
		bench.record(fmt.Sprintf("%05d.wav", n), recording)
	}
	_, err := asr.Run(b.Context(), &fake{}, bench.files(), bench.options())
	require.NoError(b, err)
	for b.Loop() {
		bench.reopen()
		report, err := asr.Run(b.Context(), &fake{}, bench.files(), bench.options())
		require.NoError(b, err)
		require.Equal(b, recordings, report.Resumed)
	}
}
