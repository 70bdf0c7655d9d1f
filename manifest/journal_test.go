package manifest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
	"github.com/holdfast-go/holdfast/retry"
)

func open(t *testing.T, path string, o manifest.Options) *manifest.Journal {
	t.Helper()
	j, err := manifest.OpenJournal(t.Context(), path, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.Close()) })
	return j
}

func result(i int) manifest.Entry {
	return manifest.Entry{AudioPath: fmt.Sprintf("%d.wav", i), PredText: fmt.Sprintf("text %d", i)}
}

func key(i int) string { return fmt.Sprintf("key %d", i) }

// contents are the keys and texts of a journal, in order.
func contents(j *manifest.Journal) []string {
	var all []string
	for key, e := range j.All() {
		all = append(all, key+"="+e.PredText)
	}
	return all
}

func TestJournalKeepsResults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	j := open(t, path, manifest.Options{})
	for i := range 3 {
		require.NoError(t, j.Append(t.Context(), key(i), result(i)))
	}
	again := result(1)
	again.PredText = "better"
	require.NoError(t, j.Append(t.Context(), key(1), again))
	want := []string{"key 0=text 0", "key 1=better", "key 2=text 2"}
	require.Equal(t, want, contents(j))
	require.NoError(t, j.Close())

	j = open(t, path, manifest.Options{})
	require.Equal(t, want, contents(j))
	e, ok := j.Lookup("key 1")
	require.True(t, ok)
	require.Equal(t, "better", e.PredText)
	_, ok = j.Lookup("none")
	require.False(t, ok)
	require.Zero(t, j.Torn())
	require.Empty(t, j.Damaged())
	require.Zero(t, j.Unchecked())

	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 4, strings.Count(string(data), "\n"))
	require.Contains(t, string(data), `{"audio_filepath": "2.wav", "pred_text": "text 2", "_key": "key 2", "_n": 3, "_crc": "`)
}

func TestJournalPublishesAManifest(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "j")
	j := open(t, path, manifest.Options{})
	e := one(t, `{"speaker": "s",  "audio_filepath": "a.wav", "_n": 5}`)
	e.PredText = "x"
	require.NoError(t, j.Append(t.Context(), "k", e))
	require.NoError(t, j.Publish(t.Context(), filepath.Join(dir, "out.json")))
	data, err := os.ReadFile(filepath.Join(dir, "out.json"))
	require.NoError(t, err)
	require.Equal(t, `{"speaker": "s",  "audio_filepath": "a.wav", "pred_text": "x"}`+"\n", string(data))

	another := filepath.Join(dir, "another name")
	require.NoError(t, os.Link(path, another))
	for _, own := range []string{path, another} {
		require.ErrorContains(t, j.Publish(t.Context(), own), "cannot be published under its own name")
	}
	require.Error(t, j.Publish(t.Context(), filepath.Join(dir, "none", "out.json")))
}

func TestJournalHasOneWriter(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "j")
	j := open(t, path, manifest.Options{})
	require.NoError(t, j.Append(t.Context(), "k", result(1)))
	_, err := manifest.OpenJournal(t.Context(), path, manifest.Options{})
	require.ErrorIs(t, err, manifest.ErrInUse)
	require.ErrorContains(t, err, path)

	other := filepath.Join(dir, "link")
	_ = os.Symlink(path, other) // Windows may forbid it, Wine hides what it leads to
	if real, err := filepath.EvalSymlinks(other); err == nil && filepath.Base(real) == "j" {
		_, err = manifest.OpenJournal(t.Context(), other, manifest.Options{})
		require.ErrorIs(t, err, manifest.ErrInUse, "the same file under another name")
	}
	require.NoError(t, j.Close())
	require.NoError(t, j.Close(), "twice")
	open(t, path, manifest.Options{})
}

func TestALinkToAJournalThatIsNotThereYet(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	path, link, loop := filepath.Join(dir, "j"), filepath.Join(dir, "link"), filepath.Join(dir, "loop")
	_, _ = os.Symlink("j", link), os.Symlink("loop", loop)
	if to, _ := os.Readlink(link); to != "j" {
		t.Skip("this system has no symbolic links for this user")
	}
	j := open(t, link, manifest.Options{})
	require.Equal(t, path, j.Path())
	require.NoError(t, j.Append(t.Context(), "k", result(1)))
	for _, name := range []string{path, link} {
		_, err := manifest.OpenJournal(t.Context(), name, manifest.Options{})
		require.ErrorIs(t, err, manifest.ErrInUse, name)
	}
	_, err = manifest.OpenJournal(t.Context(), loop, manifest.Options{})
	require.ErrorContains(t, err, "too many symbolic links")
}

func TestJournalAfterCloseAndUnopened(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "j"), manifest.Options{})
	require.NoError(t, j.Append(t.Context(), "k", result(1)))
	require.NoError(t, j.Close())
	require.ErrorIs(t, j.Append(t.Context(), "l", result(1)), os.ErrClosed)
	require.Len(t, contents(j), 1, "what is in memory stays readable")

	var zero manifest.Journal
	require.ErrorIs(t, zero.Append(t.Context(), "k", result(1)), os.ErrClosed)
	require.ErrorIs(t, zero.Merge(t.Context(), "x"), os.ErrClosed)
	require.ErrorIs(t, zero.Publish(t.Context(), "x"), os.ErrClosed)
	require.NoError(t, zero.Close())
	_, ok := zero.Lookup("k")
	require.False(t, ok)
	require.Empty(t, contents(&zero))
}

func TestJournalRefusesWhatItCouldNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path, manifest.Options{MaxLine: 200})
	for _, key := range []string{"", "gr\xfcn.wav"} { // in a file the same as "gr\xf6n.wav"
		require.ErrorContains(t, j.Append(t.Context(), key, result(1)), "needs a key")
	}
	var accepted []string
	for n := range 200 {
		err := j.Append(t.Context(), key(n), manifest.Entry{PredText: strings.Repeat("x", n)})
		if err == nil {
			accepted = append(accepted, key(n))
			continue
		}
		require.ErrorContains(t, err, "longer than Options.MaxLine")
	}
	require.NoError(t, j.Close())
	require.Greater(t, len(accepted), 50)
	require.Less(t, len(accepted), 200)
	j = open(t, path, manifest.Options{MaxLine: 200})
	require.Empty(t, j.Damaged())
	require.Len(t, contents(j), len(accepted))
}

func TestJournalIgnoresCancellation(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "j"), manifest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, j.Append(ctx, "k", result(1)), "an engine's result is kept")
	_, err := manifest.OpenJournal(ctx, filepath.Join(t.TempDir(), "k"), manifest.Options{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestJournalMendsItsEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path, manifest.Options{})
	for i := range 3 {
		require.NoError(t, j.Append(t.Context(), key(i), result(i)))
	}
	require.NoError(t, j.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)

	for name, c := range map[string]struct {
		data    []byte
		torn    int64
		records int
		damaged int
	}{
		"torn":            {whole[:len(whole)-10], int64(len(whole)-10) - int64(bytes.LastIndexByte(whole[:len(whole)-1], '\n')+1), 2, 0},
		"without newline": {whole[:len(whole)-1], 0, 3, 0},
		"zeros":           {append(bytes.Clone(whole), make([]byte, 4096)...), 4096, 3, 0},
		"bad in between":  {bytes.Replace(whole, []byte("text 1"), []byte("text 7"), 1), 0, 2, 1},
		"bad at the end":  {bytes.Replace(whole, []byte("text 2"), []byte("text 7"), 1), 0, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "j")
			require.NoError(t, os.WriteFile(path, c.data, 0o600))
			for round := range 3 {
				j := open(t, path, manifest.Options{})
				require.Len(t, contents(j), c.records+round)
				require.Len(t, j.Damaged(), c.damaged)
				for _, d := range j.Damaged() {
					require.Equal(t, j.Damaged()[0].Path, d.Path)
					require.Contains(t, d.Error(), "checksum")
				}
				if round == 0 {
					require.Equal(t, c.torn, j.Torn())
				} else {
					require.Zero(t, j.Torn())
				}
				require.NoError(t, j.Append(t.Context(), fmt.Sprint("new ", round), result(9)))
				require.NoError(t, j.Close())
			}
		})
	}
}

func TestJournalLeavesForeignFilesAlone(t *testing.T) {
	for name, text := range map[string]string{
		"a manifest":                     "{\"audio_filepath\": \"a.wav\"}\n{\"audio_fi",
		"JSON without an end":            "{\"setting\": 1, \"oth",
		"JSON that is no manifest":       "{\"duration\": \"12:30\"}",
		"one line, longer than is read":  strings.Repeat("x", 3000),
		"space that somebody has set up": "\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "manifest.json")
			write(t, path, text)
			_, err := manifest.OpenJournal(t.Context(), path, manifest.Options{MaxLine: 1000})
			require.ErrorContains(t, err, "is not a journal")
			require.ErrorContains(t, err, path)
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, text, string(data))
		})
	}
	dir := t.TempDir()
	_, err := manifest.OpenJournal(t.Context(), dir, manifest.Options{})
	require.ErrorContains(t, err, "is not a journal")
}

func TestAnEmptyFileBecomesAJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	write(t, path, "")
	replaced := 0
	files := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpReplace {
			replaced++
		}
		return next()
	}}
	j := open(t, path, manifest.Options{FS: files})
	require.NoError(t, j.Append(t.Context(), "k", result(1)))
	require.Equal(t, 1, replaced, "its first record must not be torn")
	require.NoError(t, j.Close())
	require.Len(t, contents(open(t, path, manifest.Options{})), 1)
}

func TestJournalManyProducers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path, manifest.Options{})
	var wg sync.WaitGroup
	const producers, each = 16, 25
	for p := range producers {
		wg.Go(func() {
			for i := range each {
				n := p*each + i
				if err := j.Append(t.Context(), key(n), result(n)); err != nil {
					t.Error(err)
				}
				if _, ok := j.Lookup(key(n)); !ok {
					t.Errorf("%d is acknowledged and not there", n)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, j.Close())
	j = open(t, path, manifest.Options{})
	require.Len(t, contents(j), producers*each)
	require.Empty(t, j.Damaged())
}

// failing makes the nth operation of a kind fail, once.
func failing(kind retry.Kind, nth int, err error) retry.FS {
	var mu sync.Mutex
	return retry.FS{Policy: retry.Policy{Budget: -1}, Intercept: func(op *retry.Op, next func() error) error {
		mu.Lock()
		if op.Kind == kind {
			nth--
		}
		hit := op.Kind == kind && nth == 0
		mu.Unlock()
		if hit {
			return err
		}
		return next()
	}}
}

func TestAFailedSyncIsNotRepeated(t *testing.T) {
	broken := errors.New("broken disk")
	var synced []*retry.File
	fs := failing(retry.OpSync, 3, broken) // that of key 2
	fail := fs.Intercept
	var failed *retry.File
	fs.Intercept = func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpSync {
			synced = append(synced, op.File)
			require.NotSame(t, failed, op.File, "synced again after a failure")
		}
		err := fail(op, next)
		if errors.Is(err, broken) {
			failed = op.File
		}
		return err
	}
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path, manifest.Options{FS: fs})
	for i := range 5 {
		require.NoError(t, j.Append(t.Context(), key(i), result(i)), "record %d", i)
	}
	require.NotNil(t, failed)
	require.NotSame(t, synced[0], synced[len(synced)-1], "a new file")
	require.NoError(t, j.Close())
	j = open(t, path, manifest.Options{})
	require.Len(t, contents(j), 5)
	require.Empty(t, j.Damaged())
}

func TestAFailedSyncWhileOpening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	oldJournal(t, path)
	files := failing(retry.OpSync, 1, errors.New("broken disk"))
	fail, replaced := files.Intercept, 0
	files.Intercept = func(op *retry.Op, next func() error) error {
		if op.Kind == retry.OpReplace {
			replaced++
		}
		return fail(op, next)
	}
	j := open(t, path, manifest.Options{FS: files})
	require.Len(t, contents(j), 2)
	require.Equal(t, 1, replaced, "a new file has the records of a killed writer")
	require.NoError(t, j.Append(t.Context(), "more", result(3)))
	require.NoError(t, j.Close())
	require.Len(t, contents(open(t, path, manifest.Options{})), 3)
}

// Somebody else writes into the journal while it is open: what was not written by
// us is not made part of a new file.
func TestANewFileHasOurRecordsOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path, manifest.Options{FS: failing(retry.OpSync, 3, errors.New("broken disk"))})
	require.NoError(t, j.Append(t.Context(), key(0), result(0)))
	require.NoError(t, j.Append(t.Context(), key(1), result(1)))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	write(t, path, strings.Replace(string(data), "text 0", "text 7", 1))
	require.ErrorContains(t, j.Append(t.Context(), key(2), result(2)), "no longer says what was written")
	write(t, path, string(data)+"not ours\n")
	require.NoError(t, j.Append(t.Context(), key(2), result(2)))
	require.NoError(t, j.Close())
	j = open(t, path, manifest.Options{})
	require.Len(t, contents(j), 3)
	require.Empty(t, j.Damaged())
}

func TestAFileThatGrewIsNotGoneOnWith(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	files := retry.FS{Intercept: func(op *retry.Op, next func() error) error {
		if data, err := os.ReadFile(path); op.Kind == retry.OpAppend && err == nil {
			write(t, path, string(data)+"not ours\n")
		}
		return next()
	}}
	j := open(t, path, manifest.Options{FS: files})
	for i := range 3 {
		require.NoError(t, j.Append(t.Context(), key(i), result(i)))
	}
	require.NoError(t, j.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(data), "}\nnot ours\n"), "%s", data)
	require.Equal(t, 1, strings.Count(string(data), "not ours"))
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	full := errors.New("disk full")
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path, manifest.Options{FS: failing(retry.OpWrite, 2, full)})
	require.NoError(t, j.Append(t.Context(), key(0), result(0)))
	require.ErrorIs(t, j.Append(t.Context(), key(1), result(1)), full)
	_, ok := j.Lookup(key(1))
	require.False(t, ok)
	require.NoError(t, j.Append(t.Context(), key(1), result(1)), "once there is space")
	require.NoError(t, j.Close())
	j = open(t, path, manifest.Options{})
	require.Len(t, contents(j), 2)
	require.Empty(t, j.Damaged())
}
