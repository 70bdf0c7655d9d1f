package manifest_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
)

func TestMerge(t *testing.T) {
	dir := t.TempDir()
	var shards []string
	for s := range 3 {
		path := filepath.Join(dir, key(s))
		shards = append(shards, path)
		j := open(t, path, manifest.Options{})
		for i := range 600 {
			require.NoError(t, j.Append(t.Context(), key(1000*s+i), result(1000*s+i)))
		}
		better := result(0)
		better.PredText = "better"
		require.NoError(t, j.Append(t.Context(), key(1000*s), better))
		require.NoError(t, j.Close())
	}
	f, err := os.OpenFile(shards[1], os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = f.WriteString("damaged\n{\"text\": \"no key\"}\n{\"torn")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	before, err := os.ReadFile(shards[1])
	require.NoError(t, err)

	all := open(t, filepath.Join(dir, "all"), manifest.Options{})
	mine := result(7)
	mine.PredText = "mine"
	require.NoError(t, all.Append(t.Context(), key(2007), mine))
	for range 2 { // again: nothing more
		require.NoError(t, all.Merge(t.Context(), shards...))
		require.Len(t, contents(all), 1800)
	}
	e, _ := all.Lookup(key(1000))
	require.Equal(t, "better", e.PredText, "the last of a shard")
	e, _ = all.Lookup(key(2007))
	require.Equal(t, "mine", e.PredText, "what was there stays")
	require.Len(t, all.Damaged(), 4, "two lines, seen twice")
	require.Equal(t, shards[1], all.Damaged()[0].Path)
	require.EqualValues(t, 602, all.Damaged()[0].Line)
	require.ErrorContains(t, all.Damaged()[1], "line 603: a line without a key")

	after, err := os.ReadFile(shards[1])
	require.NoError(t, err)
	require.Equal(t, before, after, "the shards are only read")

	require.NoError(t, all.Close())
	all = open(t, filepath.Join(dir, "all"), manifest.Options{})
	require.Len(t, contents(all), 1800)
	require.Empty(t, all.Damaged())

	require.Error(t, all.Merge(t.Context(), filepath.Join(dir, "none")))
	write(t, shards[0], "no journal")
	require.ErrorContains(t, all.Merge(t.Context(), shards[0]), "is not a journal")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, all.Merge(ctx, shards[2]), context.Canceled)
}
