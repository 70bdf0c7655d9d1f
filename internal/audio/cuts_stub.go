package audio

import (
	"io"
	"time"
)

func Cuts(r io.ReaderAt, in Info, limit time.Duration) ([]time.Duration, error) {
	var cuts []time.Duration
	for at := limit; at < in.Duration; at += limit {
		cuts = append(cuts, at)
	}
	return cuts, nil
}
