//go:build !windows

package locktest_test

import "testing"

func kernel(t *testing.T) (wine, posix bool) {
	t.Skip("needs Windows: run it there, or under Wine by .ci/wine.sh; the model gives the same answers in TestModel")
	return false, false
}
