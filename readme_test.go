package holdfast_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// The program in the README is the one that is compiled here.
func TestReadmeShowsTheExample(t *testing.T) {
	_, body, ok := strings.Cut(read(t, "example_test.go"), "func Example() {\n")
	require.True(t, ok)
	body, _, ok = strings.Cut(body, "\n}\n")
	require.True(t, ok)
	_, shown, ok := strings.Cut(read(t, "README.md"), "```go\n")
	require.True(t, ok)
	shown, _, ok = strings.Cut(shown, "```\n")
	require.True(t, ok)
	for line := range strings.Lines(body) {
		require.Contains(t, shown, strings.TrimPrefix(strings.TrimRight(line, "\n"), "\t"))
	}
}

func TestReadmeIsShort(t *testing.T) {
	require.Less(t, strings.Count(read(t, "README.md"), "\n"), 200)
}
