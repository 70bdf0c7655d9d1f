package retry_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/retry"
	"github.com/holdfast-go/holdfast/retry/locktest"
)

// Every operation bears the names that people give, and paths beyond the 260 characters of old Windows programs.
func TestNames(t *testing.T) {
	long := filepath.Join(strings.Repeat("long ", 40)+"x", strings.Repeat("path", 40), strings.Repeat("name", 40))
	for _, name := range []string{"Chunky's Master Folder", "Müller & Söhne (2)", "会議の録音", "🎙️ memo", "-x", "a,b;c=d", "100%", long} {
		t.Run(name[:min(12, len(name))], func(t *testing.T) {
			ctx, dir := t.Context(), locktest.TempDir(t)
			var s retry.FS
			sub := filepath.Join(dir, name)
			require.NoError(t, s.MkdirAll(ctx, sub))
			file := filepath.Join(sub, filepath.Base(name)+".json")
			require.NoError(t, s.WriteFile(ctx, file, []byte("1")))
			require.NoError(t, s.WriteFile(ctx, file, []byte("2")))
			require.NoError(t, s.Link(ctx, file, file+"2"))
			require.NoError(t, s.WriteFile(ctx, file, []byte("3")))
			require.NoError(t, s.Replace(ctx, file+"2", file))
			require.NoError(t, s.Rename(ctx, file, file+"3"))
			f, err := s.OpenAppend(ctx, file+"3")
			require.NoError(t, err)
			require.NoError(t, f.Close())
			entries, err := s.ReadDir(ctx, sub)
			require.NoError(t, err)
			require.Len(t, entries, 1)
			require.Equal(t, filepath.Base(file)+"3", entries[0].Name())
			unlock, ok, err := s.TryLock(ctx, file+".lock")
			require.NoError(t, err)
			require.True(t, ok)
			require.NoError(t, unlock())
			_, _ = retry.Holders(ctx, file+"3")
			require.NoError(t, s.RemoveAll(ctx, sub))
		})
	}
}

// The error of a manifest that another process really holds is one line with all that a person needs.
func TestGiveUpOnARealHolder(t *testing.T) {
	name := filepath.Join(locktest.TempDir(t), "manifest.json")
	s := retry.FS{Policy: retry.Policy{Budget: 300 * time.Millisecond}}
	require.NoError(t, s.WriteFile(t.Context(), name, []byte("{}")))
	release := locktest.Hold(t, name, locktest.ShareGo)
	for what, err := range map[string]error{
		"remove":    s.Remove(t.Context(), name),
		"replace":   s.WriteFile(t.Context(), name, nil),
		"removeall": s.RemoveAll(t.Context(), filepath.Dir(name)),
	} {
		t.Log(err)
		require.ErrorIs(t, err, retry.ErrLocked)
		require.Regexp(t, "^"+what+` .*manifest\.json.*\(Windows error (5|32)\); tried \d+ times in 3\d\dms; (held by|holder unknown)`, err.Error())
		require.NotContains(t, err.Error(), "\n")
	}
	release()
	require.NoError(t, s.Remove(t.Context(), name))
}
