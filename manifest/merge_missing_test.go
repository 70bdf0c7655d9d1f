package manifest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
)

// A worker that had no result leaves a lock file and no journal.
func TestMergeOfAShardWithoutResults(t *testing.T) {
	dir := t.TempDir()
	shards := []string{filepath.Join(dir, "0"), filepath.Join(dir, "1"), filepath.Join(dir, "2")}
	for i, path := range shards {
		j := open(t, path, manifest.Options{})
		if i != 1 {
			require.NoError(t, j.Append(t.Context(), key(i), result(i)))
		}
		require.NoError(t, j.Close())
	}
	require.NoFileExists(t, shards[1])

	all := open(t, filepath.Join(dir, "all"), manifest.Options{})
	require.NoError(t, all.Merge(t.Context(), shards...))
	require.Len(t, contents(all), 2)
	require.NoFileExists(t, shards[1], "the shards are only read")

	write(t, shards[1], "")
	require.NoError(t, all.Merge(t.Context(), shards...), "an empty one, as for OpenJournal")

	never := filepath.Join(dir, "3")
	err := all.Merge(t.Context(), never)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, never+": nobody has opened a journal of this name: check the name")
}

func TestMergeOfALinkToAShardWithoutResults(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	_ = os.Symlink("shard", link)
	if to, err := os.Readlink(link); to != "shard" {
		t.Skip("no symbolic links, or none that say where they lead, as under Wine: ", err)
	}
	require.NoError(t, open(t, filepath.Join(dir, "shard"), manifest.Options{}).Close())
	all := open(t, filepath.Join(dir, "all"), manifest.Options{})
	require.NoError(t, all.Merge(t.Context(), link))
	require.Empty(t, contents(all))
}
