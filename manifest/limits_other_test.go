//go:build !linux

package manifest_test

func limitFileSize() {}
