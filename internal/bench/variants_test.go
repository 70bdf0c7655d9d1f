package bench

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// variant is one way to do what a benchmark is about.
type variant struct {
	by  string
	run func(b *testing.B)
}

// compare runs the variants in an order that changes from round to round, so that none always comes first.
func compare(b *testing.B, prefix string, variants []variant) {
	variants = slices.Clone(variants)
	rand.Shuffle(len(variants), func(i, j int) { variants[i], variants[j] = variants[j], variants[i] })
	for _, v := range variants {
		b.Run(prefix+"by="+v.by, v.run)
	}
}
