package whispercpp

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/tempdir"
)

// outputName is the output file's name without its extension.
const outputName = "out"

// arguments makes the command line. -f is used even though names may stand
// alone, because it takes names that begin with a dash. The input is given
// relative to dir: on Windows the engine reads its arguments in the system's
// code page, and a scope's own names are plain ASCII. -p is never used: with
// it, whisper.cpp leaves times of later parts unshifted.
func (t *Transcriber) arguments(dir, input, language string) ([]string, error) {
	input, err := filepath.Rel(dir, input)
	if err != nil {
		return nil, err
	}
	args := []string{
		"-m", t.config.Model, "-f", input, "-of", outputName, "-ojf", "-np",
		"-l", language,
		"-bs", strconv.Itoa(t.config.Beams), "-bo", strconv.Itoa(t.config.Beams),
	}
	if t.config.Threads > 0 {
		args = append(args, "-t", strconv.Itoa(t.config.Threads))
	}
	return args, nil
}

// environment is the scope's, without the variables that change what
// whisper.cpp does: one makes every file unreadable, one loads a library.
func environment(scope *tempdir.Scope) []string {
	var env []string
	for _, entry := range scope.Env() {
		name, _, _ := strings.Cut(entry, "=")
		switch strings.ToUpper(name) {
		case "WHISPER_ARG_DEVICE", "WHISPER_COMMON_MINIAUDIO_SKIP", "GGML_BACKEND_PATH":
			continue
		}
		env = append(env, entry)
	}
	return env
}
