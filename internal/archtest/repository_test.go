package archtest

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// checkGoMod: what is tested here is what an importer gets. (A go.work concerns nobody but us.)
func checkGoMod(all tree) []string {
	var out []string
	for _, s := range all {
		if path.Base(s.path) != "go.mod" {
			continue
		}
		for i, line := range strings.Split(s.text, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "replace") || strings.Contains(line, "=>") {
				out = append(out, fmt.Sprintf("%s:%d: replaces a module: importers would get another one", s.path, i+1))
			}
		}
	}
	return out
}

// checkSeeds: a fuzz target begins with inputs that once mattered.
func checkSeeds(all tree) []string {
	var out []string
	for _, s := range all.code(true) {
		for _, d := range s.syntax.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Fuzz") || f.Body == nil || hasSeeds(all, s, f) {
				continue
			}
			out = append(out, s.at(d)+f.Name.Name+" has no seeds: add them with f.Add or in testdata/fuzz/"+f.Name.Name)
		}
	}
	return out
}

func hasSeeds(all tree, s source, f *ast.FuncDecl) bool {
	for _, other := range all {
		if strings.HasPrefix(other.path, path.Join(s.dir(), "testdata", "fuzz", f.Name.Name)+"/") {
			return true
		}
	}
	found := false
	ast.Inspect(f.Body, func(n ast.Node) bool {
		found = found || isSelectorExpr(n, "f", "Add")
		return true
	})
	return found
}

func isSelectorExpr(n ast.Node, x, name string) bool {
	e, ok := n.(ast.Expr)
	return ok && isSelector(e, x, name)
}

// checkPlaces: the repository names no folder of one machine and no package
// registry; both are the business of whoever uses it.
func checkPlaces(all tree) []string {
	folder := regexp.MustCompile(`(?:^|[\s"'=(:\x60])(/(?:home|Users)/(?:[\w.-]+)|/root/[\w.]|/(?:srv|tmp|work)/\w|[A-Z]:\\Users\\\w+)`)
	example := regexp.MustCompile(`^(/home/|/Users/|[A-Z]:\\Users\\)(u|user|you|name|me|Ann)$`)
	registry := regexp.MustCompile(`\b((?:files\.)?pythonhosted\.org|pypi\.org|(?:registry\.)?npmjs\.(?:org|com)|proxy\.golang\.org|` +
		`sum\.golang\.org|goproxy\.\w+|conda\.anaconda\.org|(?:deb|security)\.debian\.org|archive\.ubuntu\.com)\b`)
	var out []string
	for _, s := range all {
		for i, line := range strings.Split(s.text, "\n") {
			if m := folder.FindStringSubmatch(line); m != nil && !example.MatchString(m[1]) && !(s.isTest() && strings.HasPrefix(m[1], "/tmp/")) {
				out = append(out, fmt.Sprintf("%s:%d: names a folder of one machine: %s", s.path, i+1, m[1]))
			}
			if m := registry.FindString(line); m != "" {
				out = append(out, fmt.Sprintf("%s:%d: names a package registry: %s", s.path, i+1, m))
			}
		}
	}
	return out
}

// checkLinks: what a page points to is in the repository.
func checkLinks(all tree) []string {
	link := regexp.MustCompile(`\]\(([^)#\s:]+)(?:#[^)]*)?\)`)
	var out []string
	for _, s := range all {
		if path.Ext(s.path) != ".md" {
			continue
		}
		for i, line := range strings.Split(s.text, "\n") {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				if !has(all, path.Join(s.dir(), m[1])) {
					out = append(out, fmt.Sprintf("%s:%d: there is no %s", s.path, i+1, m[1]))
				}
			}
		}
	}
	return out
}

// has tells whether there is a file of that name, or a folder with one in it.
func has(all tree, name string) bool {
	return slices.ContainsFunc(all, func(s source) bool { return s.path == name || strings.HasPrefix(s.path, name+"/") })
}
