//go:build !linux

package manifest_test

import "os"

func dataSync(f *os.File) error { return f.Sync() }
