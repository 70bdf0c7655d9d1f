package main

import (
	"bytes"
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Who starts it twice is told what to do.
func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"-addr", taken.Addr().String(), "-out", filepath.Join(t.TempDir(), "out")}, &out, &errs, nil)
	require.Equal(t, exitUsage, code)
	require.Empty(t, out.String())
	require.Contains(t, errs.String(), "is webui running already? Else name another address by -addr")
}
