package archtest

import (
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/format"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/api anew")

// public gives the packages that others import.
func public(all tree) map[string]tree {
	m := all.code(false).packages()
	maps.DeleteFunc(m, func(dir string, files tree) bool {
		slash := dir + "/"
		return strings.HasPrefix(slash, "internal/") || strings.Contains(slash, "/internal/") ||
			strings.HasPrefix(slash, "examples/") || strings.HasPrefix(slash, ".") && dir != "." || files[0].syntax.Name.Name == "main"
	})
	return m
}

// A new export, and every other change to what a program may depend on, is in
// the same change as the file that lists it.
func TestExportsAreListed(t *testing.T) {
	folder := filepath.Join("testdata", "api")
	listed, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	require.NoError(t, err)
	stale := map[string]bool{}
	for _, name := range listed {
		stale[name] = true
	}
	for dir, files := range public(repository(t)) {
		name := filepath.Join(folder, listName(dir))
		delete(stale, name)
		got := strings.Join(exports(files), "")
		if *update {
			require.NoError(t, os.WriteFile(name, []byte(got), 0o600))
		}
		want, err := os.ReadFile(name)
		require.NoError(t, err, "list it: go test ./internal/archtest -update")
		if changes := difference(strings.ReplaceAll(string(want), "\r\n", "\n"), got); changes != "" {
			t.Errorf("%s exports something else than is listed; if that is meant: go test ./internal/archtest -update\n%s", dir, changes)
		}
	}
	for name := range stale {
		if *update {
			require.NoError(t, os.Remove(name))
		} else {
			t.Errorf("%s: there is no such package any more", name)
		}
	}
}

// difference shows the lines that came and went.
func difference(before, after string) string {
	var b strings.Builder
	for _, side := range []struct{ sign, text, other string }{{"-", before, after}, {"+", after, before}} {
		others := slices.Collect(strings.Lines(side.other))
		for line := range strings.Lines(side.text) {
			if !slices.Contains(others, line) {
				b.WriteString(side.sign + " " + line)
			}
		}
	}
	return b.String()
}

func listName(dir string) string {
	if dir == "." {
		return "holdfast.txt"
	}
	return strings.ReplaceAll(dir, "/", "-") + ".txt"
}

// exports gives one sorted line for each exported name, field and method.
func exports(files tree) []string {
	lines := map[string]bool{}
	for _, s := range files {
		add := func(text string, args ...any) { lines[fmt.Sprintf(text, args...)+"\n"] = true }
		for _, d := range s.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				addFunc(s, d, add)
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					addSpec(s, d, spec, add)
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(lines))
}

func addFunc(s source, f *ast.FuncDecl, add func(string, ...any)) {
	signature := strings.TrimPrefix(show(s, f.Type), "func")
	switch {
	case !f.Name.IsExported():
	case f.Recv == nil:
		add("func %s%s", f.Name.Name, signature)
	case ast.IsExported(receiver(f)):
		add("method (%s) %s%s", show(s, f.Recv.List[0].Type), f.Name.Name, signature)
	}
}

func addSpec(s source, d *ast.GenDecl, spec ast.Spec, add func(string, ...any)) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			if name.IsExported() {
				typ := ""
				if spec.Type != nil {
					typ = " " + show(s, spec.Type)
				}
				add("%s %s%s", d.Tok, name.Name, typ)
			}
		}
	case *ast.TypeSpec:
		if spec.Name.IsExported() {
			addType(s, spec, add)
		}
	}
}

func addType(s source, spec *ast.TypeSpec, add func(string, ...any)) {
	name := spec.Name.Name
	switch typ := spec.Type.(type) {
	case *ast.StructType:
		add("type %s struct", name)
		for _, f := range typ.Fields.List {
			if len(f.Names) == 0 {
				add("type %s struct, embeds %s", name, show(s, f.Type))
			}
			for _, field := range f.Names {
				if field.IsExported() {
					add("type %s struct, %s %s", name, field.Name, show(s, f.Type))
				}
			}
		}
	case *ast.InterfaceType:
		add("type %s interface", name)
		for _, m := range typ.Methods.List {
			if len(m.Names) == 0 {
				add("type %s interface, embeds %s", name, show(s, m.Type))
			}
			for _, method := range m.Names {
				add("type %s interface, %s%s", name, method.Name, strings.TrimPrefix(show(s, m.Type), "func"))
			}
		}
	default:
		if spec.Assign.IsValid() {
			name += " ="
		}
		add("type %s %s", name, show(s, spec.Type))
	}
}

// show prints a type on one line, without comments.
func show(s source, n ast.Node) string {
	var b strings.Builder
	if err := format.Node(&b, token.NewFileSet(), n); err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func TestExportsSeeEveryKind(t *testing.T) {
	files := unpack(t, filepath.Join("testdata", "exports.txt"))
	want := string(files["want"].Data)
	delete(files, "want")
	require.Equal(t, want, strings.Join(exports(readTree(t, files)), ""))
}

// checkScreen: `go doc` of a public package is a table of contents that one
// screen holds.
func checkScreen(all tree) []string {
	const screen = 56
	var out []string
	for dir, files := range public(all) {
		if lines := docLines(files); lines > screen {
			out = append(out, fmt.Sprintf("%s: its go doc has %d lines, more than %d: say less, or export less", dir, lines, screen))
		}
	}
	return out
}

// docLines counts what `go doc` prints: the package's comment, then one line
// for each group of constants or variables, function, type and constructor.
func docLines(files tree) int {
	parsed := map[string]*ast.File{}
	for _, s := range files {
		parsed[s.path] = s.syntax
	}
	//lint:ignore SA1019 go/doc takes no files for several systems in any other way
	p := doc.New(&ast.Package{Name: files[0].syntax.Name.Name, Files: parsed}, module, doc.PreserveAST)
	lines := 2 + strings.Count(string(p.Text(p.Doc)), "\n")
	for _, group := range []int{len(p.Consts), len(p.Vars), len(p.Funcs)} {
		lines += group
	}
	for _, t := range p.Types {
		lines += 1 + len(t.Funcs) + len(t.Consts) + len(t.Vars)
	}
	return lines + 1
}

// checkExamples: every public package shows how it is used.
func checkExamples(all tree) []string {
	var out []string
	tests := all.code(true).packages()
	for dir := range public(all) {
		if dir == "asr/whispercpp" {
			continue // the root's Example is about it
		}
		if !slices.ContainsFunc(tests[dir], hasExample) {
			out = append(out, dir+": has no Example")
		}
	}
	return out
}

func hasExample(s source) bool {
	return slices.ContainsFunc(s.syntax.Decls, func(d ast.Decl) bool {
		f, ok := d.(*ast.FuncDecl)
		return ok && strings.HasPrefix(f.Name.Name, "Example") && strings.HasSuffix(s.syntax.Name.Name, "_test")
	})
}
