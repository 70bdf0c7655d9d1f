package tempdir_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/holdfast-go/holdfast/tempdir"
)

// A job works on a private copy of its recording, and brings its result out
// whole or not at all.
func ExampleScope() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "hf-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	upload := filepath.Join(dir, "talk [final].WAV") // a name that breaks engines
	if err := os.WriteFile(upload, []byte("sound"), 0o600); err != nil {
		panic(err)
	}

	root, err := tempdir.Open(ctx, filepath.Join(dir, "root"), tempdir.Options{})
	if err != nil {
		panic(err)
	}
	scope, err := root.NewScope(ctx, "talk")
	if err != nil {
		panic(err)
	}
	defer scope.Close()
	staged, err := scope.Stage(ctx, upload)
	if err != nil {
		panic(err)
	}
	fmt.Println(filepath.Ext(staged.Path), staged.Size, staged.SHA256[:8])

	if err := os.WriteFile(scope.Path("out.txt"), []byte("Good morning.\n"), 0o600); err != nil { // the engine does this
		panic(err)
	}
	if err := scope.Publish(ctx, "out.txt", filepath.Join(dir, "talk.txt")); err != nil {
		panic(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "talk.txt"))
	fmt.Print(string(text))
	fmt.Println(err, scope.Close())
	// Output:
	// .wav 5 dd29442d
	// Good morning.
	// <nil> []
}

// A child process gets an environment in which everything that it writes by
// itself lies in the scope.
func ExampleScope_Env() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "hf-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	root, err := tempdir.Open(ctx, dir, tempdir.Options{})
	if err != nil {
		panic(err)
	}
	scope, err := root.NewScope(ctx, "one job")
	if err != nil {
		panic(err)
	}
	defer scope.Close()
	for _, variable := range scope.Env() {
		name, value, _ := strings.Cut(variable, "=")
		if name == "TMPDIR" || name == "HF_HOME" {
			fmt.Println(name, "in the root:", strings.HasPrefix(value, root.Path()))
		}
	}
	// Unordered output:
	// TMPDIR in the root: true
	// HF_HOME in the root: true
}

// What a dead process left behind is gone after a sweep; what another program
// still holds is told, and left to the next one.
func ExampleRoot_Sweep() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "hf-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	root, err := tempdir.Open(ctx, dir, tempdir.Options{})
	if err != nil {
		panic(err)
	}
	scope, err := root.NewScope(ctx, "at work")
	if err != nil {
		panic(err)
	}
	defer scope.Close()
	swept, err := root.Sweep(ctx)
	fmt.Println(len(swept.Removed), "removed,", len(swept.Live), "live,", len(swept.Left), "left,", err)
	// Output: 0 removed, 1 live, 0 left, <nil>
}
