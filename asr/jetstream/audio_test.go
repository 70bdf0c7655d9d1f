package jetstream_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr/jetstream"
	"github.com/holdfast-go/holdfast/manifest"
)

// Recordings may be fetched from a web server; what it gives must be what was
// submitted.
func TestURL(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "gone.wav") {
			http.NotFound(w, r)
			return
		}
		w.Write(wav(5))
	}))
	defer web.Close()
	at := func(name string, sum [32]byte) manifest.Entry {
		e := manifest.Entry{AudioPath: web.URL + name}
		require.NoError(t, e.Extra.Set("sha256", fmt.Sprintf("%x", sum)))
		return e
	}
	entries := []manifest.Entry{
		at("/good.wav?token=1", sha256.Sum256(wav(5))), at("/other.wav", sha256.Sum256(wav(6))), at("/gone.wav", sha256.Sum256(wav(7))),
	}
	o.submit("b", entries, jetstream.SubmitOptions{})
	o.work(&fake{}, jetstream.WorkOptions{MaxTries: 1})
	report, err := o.collect("b")
	require.Equal(t, [2]int{1, 2}, [2]int{report.Done, report.Failed})
	require.ErrorContains(t, failed(err)["other.wav"], "was submitted")
	require.ErrorContains(t, failed(err)["gone.wav"], "404")
	require.Equal(t, numbers(5, 1), o.published("b"))
	for _, e := range o.journal.All() {
		require.Equal(t, web.URL+"/good.wav?token=1", e.AudioPath)
	}
}

// Recordings may travel by way of the server, also those that are longer than a
// message; the worker needs no path then.
func TestUpload(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	entries := o.record(0, 3)
	long := wav(2) // and 3 MB of silence
	long = append(long, make([]byte, 3_000_000)...)
	binary.LittleEndian.PutUint32(long[4:], uint32(len(long)-8))
	binary.LittleEndian.PutUint32(long[40:], uint32(len(long)-44))
	require.NoError(t, os.WriteFile(entries[2].AudioPath, long, 0o600))
	o.submit("b", entries, jetstream.SubmitOptions{Upload: true})
	for _, e := range entries {
		require.NoError(t, os.Remove(e.AudioPath))
	}
	o.work(&fake{}, jetstream.WorkOptions{})
	_, err := o.collect("b")
	require.NoError(t, err)
	require.Equal(t, numbers(0, 3), o.published("b"))

	// They are gone from the server when the batch is done.
	store, err := o.raw().ObjectStore(t.Context(), "hf_files")
	require.NoError(t, err)
	objects, err := store.List(t.Context())
	require.NoError(t, err)
	for _, object := range objects {
		require.False(t, strings.HasPrefix(object.Name, "audio/"), object.Name)
	}
}

// Stretches of one recording are jobs of their own.
func TestStretches(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	path := o.record(0, 1)[0].AudioPath
	data := slicesOf(4)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	var entries []manifest.Entry
	for n := range 4 {
		entries = append(entries, manifest.Entry{AudioPath: path, Offset: ms(10 * n), Duration: ms(10)})
	}
	require.Equal(t, jetstream.Submitted{Total: 4, Sent: 4}, o.submit("b", entries, jetstream.SubmitOptions{}))
	o.work(&fake{}, jetstream.WorkOptions{})
	_, err := o.collect("b")
	require.NoError(t, err)
	require.Equal(t, numbers(0, 4), o.published("b"))
}

// slicesOf is a recording that says 0, 1 ... each for 10 ms.
func slicesOf(n int) []byte {
	var samples bytes.Buffer
	for i := range n {
		samples.Write(wav(i)[44:])
	}
	head := wav(0)[:44]
	binary.LittleEndian.PutUint32(head[4:], uint32(36+samples.Len()))
	binary.LittleEndian.PutUint32(head[40:], uint32(samples.Len()))
	return append(head, samples.Bytes()...)
}
