package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A real disk of 16 MB: an upload that would fill it is refused, and one that
// fills it because others write too leaves nothing.
func TestSmallDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may mount a disk of 16 MB")
	}
	content := wav(talk, 300) // 9.6 MB; the disk has to hold it once, and the root besides
	for name, c := range map[string]struct {
		free    func(string) (int64, error)
		message string
	}{
		"seen before":   {freeSpace, "not enough space"},
		"in the middle": {func(string) (int64, error) { return 1 << 40, nil }, "disk is full"},
	} {
		t.Run(name, func(t *testing.T) {
			disk, err := os.MkdirTemp("", "hf-")
			require.NoError(t, err)
			t.Cleanup(func() { os.RemoveAll(disk) })
			if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=16m"); err != nil {
				t.Skipf("no disk of 16 MB: %v", err)
			}
			t.Cleanup(func() { unix.Unmount(disk, unix.MNT_DETACH) })
			s := newSite(t, func(c2 *config) {
				c2.Out, c2.Free, c2.Limits.upload = filepath.Join(disk, "out"), c.free, 64<<20
			})
			t.Cleanup(s.stop) // before the disk goes
			require.Equal(t, done, s.ended(s.upload("small.wav", wav(talk, 10))).State)
			filler := filepath.Join(disk, "somebody else's")
			require.NoError(t, os.WriteFile(filler, make([]byte, 8<<20), 0o600))
			a := s.do("PUT", uploadPath("large.wav"), bytes.NewReader(content))
			require.Equal(t, http.StatusInsufficientStorage, a.StatusCode, string(a.body))
			require.Contains(t, string(a.body), c.message)
			require.Empty(t, s.staged())
			require.Len(t, s.jobs(), 1)
			require.NoError(t, os.Remove(filler))
			require.Equal(t, done, s.ended(s.upload("again.wav", wav(talk, 20))).State)
			entries, err := os.ReadDir(filepath.Join(disk, "out", "jobs"))
			require.NoError(t, err)
			require.Len(t, entries, 2)
		})
	}
}
