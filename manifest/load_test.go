package manifest_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestLoadGivesGoodEntriesAndAllErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.json")
	var text strings.Builder
	for i := range 500 {
		fmt.Fprintf(&text, "{\"text\": \"%d\"}\n", i)
		if i%2 == 0 {
			text.WriteString("bad\n")
		}
	}
	write(t, path, text.String())
	entries, err := manifest.Load(t.Context(), path, manifest.Options{})
	require.Len(t, entries, 500)
	line, ok := errors.AsType[*manifest.LineError](err)
	require.True(t, ok)
	require.Equal(t, 2, line.Line)
	require.Equal(t, path, line.Path)
	require.ErrorContains(t, err, "250 lines cannot be read\n\t"+path+": line 2: ")
	require.ErrorContains(t, err, "\n\tand 245 more")
	require.Equal(t, 6, strings.Count(err.Error(), "\n"))

	write(t, path, "{\"text\": \"1\"}\nbad\n")
	_, err = manifest.Load(t.Context(), path, manifest.Options{})
	require.NotContains(t, err.Error(), "more")
}

func TestLoadFails(t *testing.T) {
	dir := t.TempDir()
	_, err := manifest.Load(t.Context(), filepath.Join(dir, "none"), manifest.Options{})
	require.ErrorIs(t, err, fs.ErrNotExist)

	path := filepath.Join(dir, "utf16.json")
	write(t, path, "\xff\xfe{\x00}\x00\n\x00")
	_, err = manifest.Load(t.Context(), path, manifest.Options{})
	require.ErrorContains(t, err, path+": the manifest is UTF-16")

	write(t, path, "{}\n{}\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = manifest.Load(ctx, path, manifest.Options{})
	require.ErrorIs(t, err, context.Canceled)

	ctx, cancel = context.WithCancel(t.Context())
	whileReading := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpRead {
			cancel()
		}
		return next()
	}}
	_, err = manifest.Load(ctx, path, manifest.Options{FS: whileReading})
	require.ErrorIs(t, err, context.Canceled)
}

func TestLoadFindsAudioAndTexts(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.wav"), "")
	write(t, filepath.Join(dir, "a.txt"), "\xef\xbb\xbfgrün\r\nund blau\n")
	write(t, filepath.Join(dir, "latin1.txt"), "gr\xfcn")
	path := filepath.Join(dir, "m.json")
	write(t, path, `{"audio_filepath": "a.wav", "text_filepath": "a.txt"}
{"audio_filepath": "b.wav", "text_filepath": "a.txt", "text": ""}
{"text_filepath": "none.txt"}
{"text_filepath": "latin1.txt"}
{"text_filepath": 7}
{"text_filepath": null, "note": "text_filepath"}
`)
	entries, err := manifest.Load(t.Context(), path, manifest.Options{})
	require.Len(t, entries, 3)
	require.Equal(t, filepath.Join(dir, "a.wav"), entries[0].AudioPath)
	require.Equal(t, "grünund blau", entries[0].Text, "NeMo removes the newlines")
	require.Equal(t, "b.wav", entries[1].AudioPath)
	require.Empty(t, entries[1].Text)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "latin1.txt: the text is not UTF-8")
	require.ErrorContains(t, err, `"text_filepath" is the number 7, not a string`)

	other := t.TempDir()
	write(t, filepath.Join(other, "b.wav"), "")
	write(t, path, `{"audio_filepath": "a.wav"}`+"\n"+`{"audio_filepath": "b.wav"}`)
	entries, err = manifest.Load(t.Context(), path, manifest.Options{BaseDir: other})
	require.NoError(t, err)
	require.Equal(t, "a.wav", entries[0].AudioPath)
	require.Equal(t, filepath.Join(other, "b.wav"), entries[1].AudioPath)
}

// NeMo takes "text", else "text_filepath", else "normalized_text".
func TestLoadTakesTextsInNeMosOrder(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.txt"), "from the file\n")
	path := filepath.Join(dir, "m.json")
	for _, tt := range []struct{ line, want, saved string }{
		{line: `{"normalized_text": "normalized", "text_filepath": "a.txt", "text": "text"}`, want: "text"},
		{line: `{"normalized_text": "normalized", "text_filepath": "a.txt", "text": null}`},
		{line: `{"normalized_text": "normalized"}`, want: "normalized"},
		{line: `{"normalized_text": "normalized", "text_filepath": null}`, want: "normalized"},
		{
			line: `{"audio_filepath": "a.wav", "normalized_text": "normalized", "text_filepath": "a.txt"}`, want: "from the file",
			saved: `{"audio_filepath": "a.wav", "normalized_text": "normalized", "text_filepath": "a.txt", "text": "from the file"}`,
		},
	} {
		write(t, path, tt.line)
		entries, err := manifest.Load(t.Context(), path, manifest.Options{})
		require.NoError(t, err, tt.line)
		require.Equal(t, tt.want, entries[0].Text, tt.line)
		if tt.saved == "" {
			tt.saved = tt.line
		}
		require.Equal(t, tt.saved, string(entries[0].AppendJSON(nil)), "no field of the line is overwritten")
	}
}

func TestLoadShards(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		write(t, filepath.Join(dir, fmt.Sprintf("manifest_%d.json", i)), fmt.Sprintf(`{"text": "%d"}`, i))
	}
	pattern := filepath.Join(dir, "manifest__OP_0..2_CL_.json")
	entries, err := manifest.Load(t.Context(), pattern, manifest.Options{})
	require.NoError(t, err)
	require.Len(t, entries, 3)
	require.Equal(t, "2", entries[2].Text)

	write(t, pattern, `{"text": "itself"}`)
	entries, err = manifest.Load(t.Context(), pattern, manifest.Options{})
	require.NoError(t, err)
	require.Len(t, entries, 1, "a file of that very name comes first")

	_, err = manifest.Load(t.Context(), filepath.Join(dir, "m__OP_2..1_CL_.json"), manifest.Options{})
	require.ErrorContains(t, err, "must go up")
	_, err = manifest.Load(t.Context(), filepath.Join(dir, "manifest__OP_0..3_CL_.json"), manifest.Options{})
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestNoManifestWithoutAnEntryThatFailed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.json")
	full := errors.New("disk full")
	w, err := manifest.Create(t.Context(), path, manifest.Options{FS: failing(retry.OpWrite, 1, full)})
	require.NoError(t, err)
	for err = nil; err == nil; {
		err = w.Write(result(1))
	}
	require.ErrorIs(t, err, full)
	require.ErrorIs(t, w.Write(result(2)), full)
	require.ErrorIs(t, w.Commit(t.Context()), full)
	require.NoError(t, w.Close())
	require.NoFileExists(t, path)

	var zero manifest.Writer
	require.ErrorIs(t, zero.Commit(t.Context()), os.ErrClosed)
	require.NoError(t, zero.Close())
}

func TestSaveIsWholeOrAbsent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.json")
	entries := make([]manifest.Entry, 5000)
	for i := range entries {
		entries[i] = result(i)
	}
	require.NoError(t, manifest.Save(t.Context(), path, slices.Values(entries), manifest.Options{}))
	loaded, err := manifest.Load(t.Context(), path, manifest.Options{})
	require.NoError(t, err)
	require.Len(t, loaded, len(entries))
	require.Equal(t, "text 4999", loaded[4999].PredText)

	w, err := manifest.Create(t.Context(), path, manifest.Options{})
	require.NoError(t, err)
	for _, e := range entries {
		require.NoError(t, w.Write(e))
	}
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
	require.Error(t, w.Commit(t.Context()))
	again, err := manifest.Load(t.Context(), path, manifest.Options{})
	require.NoError(t, err)
	require.Len(t, again, len(entries), "the old one stays")
	names, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, names, 1, "nothing is left over")

	require.Error(t, manifest.Save(t.Context(), filepath.Join(path, "m.json"), slices.Values(entries), manifest.Options{}))
}

func TestSaveLeavesNothingWhenItsEntriesPanic(t *testing.T) {
	dir := t.TempDir()
	require.Panics(t, func() {
		_ = manifest.Save(t.Context(), filepath.Join(dir, "m.json"), func(func(manifest.Entry) bool) { panic("no entries") },
			manifest.Options{})
	})
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, names)
}

// As root a manifest would take the place of the device, for every program.
func TestNoManifestInThePlaceOfADevice(t *testing.T) {
	dir := t.TempDir()
	device := filepath.Join(dir, "device")
	_ = os.Symlink(os.DevNull, device)
	if info, err := os.Stat(device); err != nil || info.Mode()&fs.ModeDevice == 0 {
		t.Skip("no symbolic links, or none that lead to a device: ", err)
	}
	j := open(t, filepath.Join(dir, "j"), manifest.Options{})
	require.NoError(t, j.Append(t.Context(), "key", result(1)))
	for name, err := range map[string]error{
		"Publish": j.Publish(t.Context(), device),
		"Save":    manifest.Save(t.Context(), device, slices.Values([]manifest.Entry{result(1)}), manifest.Options{}),
	} {
		require.ErrorContains(t, err, device+": a device is there", name)
	}
	info, err := os.Lstat(device)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&fs.ModeSymlink)
}
