package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/holdfast-go/holdfast"

// A source is one file of the repository.
type source struct {
	path string // from the repository's root, with slashes
	text string
	// Of Go files only; files for all systems are read, whatever this one is.
	syntax *ast.File
	fset   *token.FileSet
}

func (s source) dir() string  { return path.Dir(s.path) }
func (s source) isGo() bool   { return s.syntax != nil }
func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// at begins every finding: path:line.
func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d: ", s.path, s.fset.Position(n.Pos()).Line)
}

// imports gives the paths that the file imports, each with its node.
func (s source) imports() map[string]ast.Node {
	m := map[string]ast.Node{}
	for _, spec := range s.syntax.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		m[name] = spec
	}
	return m
}

// selectors finds selectors such as os.Remove and gives their names. It goes by
// the import, so a variable called os is not one.
func (s source) selectors(pkg string, yield func(name string, n ast.Node)) {
	local := ""
	for _, spec := range s.syntax.Imports {
		if name, _ := strconv.Unquote(spec.Path.Value); name == pkg {
			local = path.Base(pkg)
			if spec.Name != nil {
				local = spec.Name.Name
			}
		}
	}
	if local == "" {
		return
	}
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
				yield(sel.Sel.Name, n)
			}
		}
		return true
	})
}

type tree []source

// code gives the Go files: those of tests, or the others.
func (t tree) code(tests bool) tree {
	return slices.DeleteFunc(slices.Clone(t), func(s source) bool { return !s.isGo() || s.isTest() != tests })
}

// packages groups Go files by folder. The files of package foo_test are with
// those of package foo.
func (t tree) packages() map[string]tree {
	m := map[string]tree{}
	for _, s := range t {
		if s.isGo() {
			m[s.dir()] = append(m[s.dir()], s)
		}
	}
	return m
}

func readTree(t testing.TB, files fs.FS) tree {
	t.Helper()
	var found tree
	ignored := ignoredNames(files)
	require.NoError(t, fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (hidden(d.Name()) || ignored[d.Name()] || name == "internal/archtest/testdata"):
			return fs.SkipDir
		case d.IsDir() || !isText(name) || ignored[d.Name()]:
			return nil
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		s := source{path: name, text: string(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))), fset: token.NewFileSet()}
		if strings.HasSuffix(name, ".go") && !strings.Contains("/"+name, "/testdata/") {
			s.syntax, err = parser.ParseFile(s.fset, name, s.text, parser.ParseComments|parser.SkipObjectResolution)
		}
		found = append(found, s)
		return err
	}))
	return found
}

func hidden(name string) bool {
	return name != "." && name != ".ci" && name != ".github" && strings.HasPrefix(name, ".")
}

func isText(name string) bool {
	ext := path.Ext(name)
	return strings.HasPrefix(name, ".ci/") || strings.Contains(name, "/testdata/fuzz/") || slices.Contains([]string{
		".go", ".mod", ".work", ".md", ".txt", ".sh", ".py", ".yml", ".yaml", ".json", ".html", ".css", ".js", ".svg",
	}, ext)
}

// ignoredNames reads the plain names out of .gitignore: what git does not
// keep is nobody's source.
func ignoredNames(files fs.FS) map[string]bool {
	m := map[string]bool{"node_modules": true}
	b, _ := fs.ReadFile(files, ".gitignore")
	for line := range strings.Lines(string(b)) {
		m[strings.Trim(strings.TrimSpace(line), "/")] = true
	}
	return m
}

// repository reads the tree that this test lies in.
func repository(t testing.TB) tree {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	require.NoError(t, err)
	require.Regexp(t, `(?m)^module `+regexp.QuoteMeta(module)+`\r?$`, string(b))
	return readTree(t, os.DirFS(filepath.Join("..", "..")))
}
