package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/lane"
)

// fakeGradio takes one upload, the file that is named on the command line, and
// shows what the page says of it on standard error.
const fakeGradio = `import os, sys
uploads = os.environ["GRADIO_TEMP_DIR"]  # Gradio asks when it is imported, too
print("Gradio says something")

class Error(Exception):
    pass

def Audio(sources, type):
    pass

class Interface:
    def __init__(self, fn, inputs, outputs, concurrency_limit):
        self.fn = fn

    def launch(self, quiet=False):
        path = os.path.join(uploads, "größe, 日本 (1).wav")
        with open(sys.argv[1], "rb") as source, open(path, "wb") as upload:
            upload.write(source.read())
        try:
            said = self.fn(path)
        except Error as error:
            said = "Error: %s" % error
        os.write(2, said.encode("utf-8"))
`

// page makes a command of one of the pages in docs/gradio.md, which takes the
// pipes to be of Windows.
func page(t *testing.T, d *desk, n int, change func(string) string) *exec.Cmd {
	t.Helper()
	b, err := os.ReadFile("../../docs/gradio.md")
	require.NoError(t, err)
	blocks := strings.Split(strings.ReplaceAll(string(b), "\r\n", "\n"), "```")
	code, ok := strings.CutPrefix(blocks[2*n+1], "python\n")
	require.True(t, ok)
	for name, text := range map[string]string{"gradio.py": fakeGradio, "app.py": change(code)} {
		require.NoError(t, os.WriteFile(filepath.Join(d.base, name), []byte(text), 0o600))
	}
	cmd := exec.Command(lane.Python(t), filepath.Join(d.base, "app.py"), filepath.Join(d.in, "00.wav"))
	cmd.Dir = d.base
	cmd.Env = append(os.Environ(), playVariable+"=1", "PYTHONIOENCODING=cp1252", "GRADIO_TEMP_DIR="+d.in)
	return cmd
}

// The page whose parent is a Go program says nothing but paths, and shows what
// comes back.
func TestGradioUnderGo(t *testing.T) {
	d := newDesk(t, 1)
	cmd := page(t, d, 0, func(code string) string { return code })
	answers, err := cmd.StdinPipe()
	require.NoError(t, err)
	paths, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var shown strings.Builder
	cmd.Stderr = &shown
	require.NoError(t, cmd.Start())
	path, err := bufio.NewReader(paths).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, filepath.Join(d.in, "größe, 日本 (1).wav"), strings.TrimRight(path, "\r\n"))
	_, err = io.WriteString(answers, "gehört: größe\n")
	require.NoError(t, err)
	require.NoError(t, cmd.Wait(), shown.String())
	require.Contains(t, shown.String(), "gehört: größe")

	cmd = page(t, d, 0, func(code string) string { return code })
	said, err := cmd.CombinedOutput() // nobody answers
	require.NoError(t, err, string(said))
	require.Contains(t, string(said), "Error: The transcriber has ended")
}

// The page that is itself the parent calls this program.
func TestGradioOverGo(t *testing.T) {
	d := newDesk(t, 1)
	change := func(code string) string {
		for old, by := range map[string]string{
			`r"C:\ProgramData\holdfast"`: fmt.Sprintf("r'%s'", filepath.Join(d.base, "b")),
			`"transcribe", "-engine", "nemo", "-python", "venv/Scripts/python.exe", "-model", "model.nemo"`: fmt.Sprintf(
				"r'%s', '-binary', r'%s', '-model', r'%s'", os.Args[0], os.Args[0], d.model),
		} {
			require.Contains(t, code, old)
			code = strings.ReplaceAll(code, old, by)
		}
		return code
	}
	said, err := page(t, d, 1, change).CombinedOutput()
	require.NoError(t, err, string(said))
	require.Contains(t, string(said), "number 0")
	require.NotContains(t, string(said), "Error")

	require.NoError(t, os.WriteFile(filepath.Join(d.in, "00.wav"), nil, 0o600))
	said, err = page(t, d, 1, change).CombinedOutput()
	require.NoError(t, err, string(said))
	require.Contains(t, string(said), "Error: transcribe")
	require.Contains(t, string(said), "empty file")
}
