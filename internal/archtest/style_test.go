package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
)

// checkSleep: a test that sleeps is slow on a fast machine and wrong on a slow
// one. In the bubble of synctest.Test time is fake, so there it may.
func checkSleep(all tree) []string {
	except := exceptions{
		"examples/transcribe/main_test.go": "the process that plays an engine takes as long as it is told",
	}
	findings := map[string][]string{}
	for _, s := range all.code(true) {
		var bubbles []ast.Node
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && isSelector(call.Fun, "synctest", "Test") {
				bubbles = append(bubbles, call)
			}
			return true
		})
		s.selectors("time", func(name string, n ast.Node) {
			inside := slices.ContainsFunc(bubbles, func(b ast.Node) bool { return b.Pos() <= n.Pos() && n.End() <= b.End() })
			if name == "Sleep" && !inside {
				findings[s.path] = append(findings[s.path], s.at(n)+"sleeps in a test: wait for what has to happen, or use synctest")
			}
		})
	}
	return except.apply(findings, all)
}

func isSelector(e ast.Expr, x, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == x && sel.Sel.Name == name
}

// checkInit: nothing happens because a package is imported.
func checkInit(all tree) []string {
	var out []string
	for _, s := range all {
		if !s.isGo() {
			continue
		}
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				out = append(out, s.at(d)+"has an init function: let the caller call it")
			}
		}
	}
	return out
}

// checkGlobals: a variable of a package is an error, a table or something
// compiled once, and is never changed.
func checkGlobals(all tree) []string {
	var out []string
	for _, files := range all.code(false).packages() {
		changed := changedNames(files)
		for _, s := range files {
			for _, d := range s.syntax.Decls {
				gen, ok := d.(*ast.GenDecl)
				if !ok || gen.Tok != token.VAR || strings.Contains(gen.Doc.Text()+comment(gen), "go:embed") {
					continue
				}
				for _, spec := range gen.Specs {
					out = append(out, globalsOf(s, spec.(*ast.ValueSpec), changed)...)
				}
			}
		}
	}
	return out
}

func comment(g *ast.GenDecl) string {
	if g.Doc == nil {
		return ""
	}
	text := ""
	for _, c := range g.Doc.List {
		text += c.Text // Doc.Text leaves directives out
	}
	return text
}

func globalsOf(s source, spec *ast.ValueSpec, changed map[string]bool) []string {
	var out []string
	for i, name := range spec.Names {
		switch {
		case name.Name == "_" && len(spec.Values) > i && isCall(spec.Values[i]):
			out = append(out, s.at(name)+"is called because the package is imported: let the caller call it")
		case name.Name == "_":
		case i >= len(spec.Values) || !isFixed(spec.Values[i]):
			out = append(out, s.at(name)+"the variable "+name.Name+" is state of the whole program: put it into a value")
		case changed[name.Name]:
			out = append(out, s.at(name)+"the variable "+name.Name+" is changed: put it into a value")
		}
	}
	return out
}

// isCall says whether e runs something; (*T)(nil) does not.
func isCall(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	_, conversion := call.Fun.(*ast.ParenExpr)
	return !conversion
}

// isFixed says whether e makes something that is meant to stay as it is.
func isFixed(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.CompositeLit:
		typ, ok := e.Type.(*ast.SelectorExpr)
		return !ok || !isSelector(typ, "sync", typ.Sel.Name) && !isSelector(typ, "atomic", typ.Sel.Name)
	case *ast.CallExpr:
		if array, ok := e.Fun.(*ast.ArrayType); ok {
			return array.Len == nil // []byte("…")
		}
		sel, ok := e.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		return slices.Contains([]string{
			"New", "Errorf", "MustCompile", "NewReplacer", "NewLazySystemDLL", "NewProc", "MakeTable",
		}, sel.Sel.Name)
	}
	return false
}

// changedNames gives every name that a package assigns to, deletes from, or
// takes the address of. It knows nothing of scopes, so a local variable counts too.
func changedNames(files tree) map[string]bool {
	m := map[string]bool{}
	root := func(e ast.Expr) {
		for {
			switch x := e.(type) {
			case *ast.IndexExpr:
				e = x.X
				continue
			case *ast.SelectorExpr:
				e = x.X
				continue
			case *ast.Ident:
				m[x.Name] = true
			}
			return
		}
	}
	for _, s := range files {
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, e := range n.Lhs {
						root(e)
					}
				}
			case *ast.IncDecStmt:
				root(n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					root(n.X)
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "delete" || f.Name == "clear") {
					root(n.Args[0])
				}
			}
			return true
		})
	}
	return m
}

// checkNames: a package is called after what it is for.
func checkNames(all tree) []string {
	var out []string
	for dir := range all.packages() {
		if slices.Contains([]string{"util", "utils", "common", "types", "helpers", "misc", "pkg"}, path.Base(dir)) {
			out = append(out, dir+": the name says nothing: name the package after what it is for")
		}
	}
	return out
}

// checkSize: one thought a file.
func checkSize(all tree) []string {
	const limit = 500
	except := exceptions{
		"asr/asrtest/mutants_table_test.go": "one table, a line for each way in which an engine can be wrong",
	}
	findings := map[string][]string{}
	for _, s := range all {
		if lines := strings.Count(s.text, "\n"); s.isGo() && lines > limit {
			findings[s.path] = []string{fmt.Sprintf("%s: has %d lines, more than %d: which thoughts are in it?", s.path, lines, limit)}
		}
	}
	return except.apply(findings, all)
}
