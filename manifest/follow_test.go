package manifest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/manifest"
)

func TestFollowSeesRecordsAsTheyCome(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		seen := make(chan string)
		go func() {
			defer close(seen)
			for r, err := range manifest.Follow(ctx, path, manifest.Options{}) {
				if err != nil {
					seen <- err.Error()
					return
				}
				seen <- r.Key + "=" + r.Entry.PredText
			}
		}()
		<-time.After(time.Minute) // of the bubble: the journal is waited for
		j, err := manifest.OpenJournal(ctx, path, manifest.Options{})
		require.NoError(t, err)
		for i := range 3 {
			require.NoError(t, j.Append(ctx, key(i), result(i)))
			require.Equal(t, contents(j)[i], <-seen)
		}
		require.NoError(t, j.Close())
		cancel()
		require.Equal(t, context.Canceled.Error(), <-seen)
		_, more := <-seen
		require.False(t, more)
	})
}

func TestFollowReadsWholeLinesOnly(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "source")
	j := open(t, source, manifest.Options{})
	const n = 2500 // more than it takes at a time
	for i := range n {
		require.NoError(t, j.Append(t.Context(), key(i), result(i)))
	}
	require.NoError(t, j.Close())
	data, err := os.ReadFile(source)
	require.NoError(t, err)

	path := filepath.Join(dir, "growing")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			f, err := os.Create(path)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			for len(data) > 0 { // in pieces that end anywhere
				n := min(len(data), 77_777)
				if _, err := f.Write(data[:n]); err != nil {
					t.Error(err)
				}
				if data = data[n:]; len(data) > 0 {
					<-time.After(time.Second)
				}
			}
		}()
		got := 0
		for r, err := range manifest.Follow(ctx, path, manifest.Options{}) {
			if errors.Is(err, context.Canceled) {
				break
			}
			require.NoError(t, err)
			require.Equal(t, key(got), r.Key)
			if got++; got == n {
				cancel()
			}
		}
		require.Equal(t, n, got)
	})
}

func TestFollowReportsDamageAndBeginsAnew(t *testing.T) {
	dir := t.TempDir()
	line := func(name string) string {
		path := filepath.Join(dir, name)
		j := open(t, path, manifest.Options{})
		require.NoError(t, j.Append(t.Context(), name, result(1)))
		require.NoError(t, j.Close())
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(data)
	}
	path := filepath.Join(dir, "j")
	write(t, path, line("a")+"damaged\n"+line("b"))
	var got []string
	for r, err := range manifest.Follow(t.Context(), path, manifest.Options{}) {
		if bad, ok := errors.AsType[*manifest.LineError](err); ok {
			require.Equal(t, 2, bad.Line)
			require.Equal(t, path, bad.Path)
			continue
		}
		require.NoError(t, err)
		got = append(got, r.Key)
		if len(got) == 2 {
			write(t, path, line("c")) // b was taken back
		}
		if len(got) == 3 {
			break
		}
	}
	require.Equal(t, []string{"a", "b", "c"}, got)
}

func TestFollowYieldsALongLineOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	write(t, path, strings.Repeat("x", 300)+"\n")
	var got []string
	for r, err := range manifest.Follow(t.Context(), path, manifest.Options{MaxLine: 200}) {
		if err != nil {
			require.ErrorContains(t, err, "longer than 200 bytes")
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			require.NoError(t, err)
			_, err = f.WriteString("{\"_key\": \"after\"}\n")
			require.NoError(t, errors.Join(err, f.Close()))
			r.Key = "long"
		}
		if got = append(got, r.Key); len(got) == 2 {
			break
		}
	}
	require.Equal(t, []string{"long", "after"}, got)
}
