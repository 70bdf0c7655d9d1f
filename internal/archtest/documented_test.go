package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// checkDocumented: every package and every exported name has a comment. In a
// group of constants or variables one for the group is enough; constants of a
// type of their own have the type's.
func checkDocumented(all tree) []string {
	var out []string
	for dir, files := range all.code(false).packages() {
		if strings.HasPrefix(dir, ".ci") {
			continue
		}
		if !slices.ContainsFunc(files, func(s source) bool { return s.syntax.Doc.Text() != "" }) {
			out = append(out, dir+": the package has no comment")
		}
		for _, s := range files {
			if s.syntax.Name.Name == "main" {
				continue
			}
			for _, d := range s.syntax.Decls {
				out = append(out, undocumented(s, d)...)
			}
		}
	}
	return out
}

func undocumented(s source, d ast.Decl) []string {
	var out []string
	miss := func(name *ast.Ident) { out = append(out, s.at(name)+name.Name+" has no comment") }
	switch d := d.(type) {
	case *ast.FuncDecl:
		exported := d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d)))
		if exported && d.Doc.Text() == "" && !(d.Recv != nil && wellKnown(d.Name.Name)) {
			miss(d.Name)
		}
	case *ast.GenDecl:
		if first, ok := firstValue(d); ok && d.Tok == token.CONST && first.Type != nil {
			return nil
		}
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && spec.Doc.Text() == "" && d.Doc.Text() == "" {
					miss(spec.Name)
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					if name.IsExported() && spec.Doc.Text()+spec.Comment.Text()+d.Doc.Text() == "" {
						miss(name)
					}
				}
			}
		}
	}
	return out
}

func firstValue(d *ast.GenDecl) (*ast.ValueSpec, bool) {
	if len(d.Specs) == 0 {
		return nil, false
	}
	v, ok := d.Specs[0].(*ast.ValueSpec)
	return v, ok
}

// wellKnown methods mean what the standard library says.
func wellKnown(method string) bool {
	return slices.Contains([]string{"Error", "Unwrap", "Is", "As", "String", "MarshalJSON", "UnmarshalJSON"}, method)
}

// receiver gives the name of a method's type.
func receiver(f *ast.FuncDecl) string {
	e := f.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
