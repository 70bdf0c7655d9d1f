package embedded

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/tempdir"
)

// A server that is started anew is found where the first one was, by those too
// who ask meanwhile.
func TestStartedAnewAtTheSamePlace(t *testing.T) {
	dir, err := os.MkdirTemp("", "hf-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	root, err := tempdir.Open(t.Context(), filepath.Join(dir, "r"), tempdir.Options{MinFree: -1})
	require.NoError(t, err)
	s, err := Start(t.Context(), Config{Root: root, Listen: "127.0.0.1:0", MinFree: 1 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	s.mu.Lock()
	first := s.current
	s.mu.Unlock()

	url := s.URL()
	s.broken <- "a lock on a file of the store"
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for again := false; !again; <-ticker.C {
		require.Equal(t, url, s.URL())
		s.mu.Lock()
		again = s.current != nil && s.current != first
		s.mu.Unlock()
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "nats://"))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}
