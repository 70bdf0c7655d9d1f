//go:build !windows

package retry_test

func windowsCode(error) (int, bool) { return 0, false }
