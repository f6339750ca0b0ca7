package cell

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"sync"
)

// A notebook may declare what Go declares itself: a type error, a constant int. What
// earlier cells have typed with Go's own then needs another name for it, in a package
// that is only there to be checked against.
const (
	universePath = "universe"
	universeName = "universeʹ"
	ownQualifier = "ownʹ" // qualifies the notebook's own names for a while
)

// universe declares Go's own types with capital letters.
var universe = sync.OnceValue(func() *types.Package {
	p := types.NewPackage(universePath, universeName)
	for _, name := range types.Universe.Names() {
		if o, ok := types.Universe.Lookup(name).(*types.TypeName); ok {
			p.Scope().Insert(types.NewTypeName(token.NoPos, p, capital(name), o.Type()))
		}
	}
	p.MarkComplete()
	return p
})

func capital(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// withUniverse imports that package, too.
type withUniverse struct{ Packages }

func (p withUniverse) Import(path string) (*types.Package, error) {
	if path == universePath {
		return universe(), nil
	}
	return p.Packages.Import(path)
}

// hidesUniverse says whether the notebook declares a name of Go's own types.
func (s State) hidesUniverse() bool {
	return slices.ContainsFunc(universe().Scope().Names(), func(name string) bool {
		return s.owners[strings.ToLower(name[:1])+name[1:]] != nil
	})
}

// typeText writes a type as a file with the notebook's declarations has it.
func (s State) typeText(t types.Type) string {
	alias := func(p *types.Package) string { return s.alias(ImportPath(p), p.Name()) }
	if !s.hidesUniverse() {
		return typeText(t, alias)
	}
	text := types.TypeString(t, func(p *types.Package) string {
		if p.Path() == packagePath {
			return ownQualifier
		}
		return alias(p)
	})
	x, err := parser.ParseExpr(text)
	if err != nil {
		return text // the checker says what is wrong with it
	}
	var b strings.Builder
	at := 0
	write := func(from, to token.Pos, with string) {
		b.WriteString(text[at:from-1] + with) // positions begin with 1
		at = int(to) - 1
	}
	ast.Inspect(x, func(n ast.Node) bool { return s.qualify(n, write) })
	return b.String() + text[at:]
}

// qualify rewrites own names and Go's in a type's syntax.
func (s State) qualify(n ast.Node, write func(from, to token.Pos, with string)) bool {
	switch n := n.(type) {
	case *ast.Field: // its names are no types
		ast.Inspect(n.Type, func(n ast.Node) bool { return s.qualify(n, write) })
		return false
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok && x.Name == ownQualifier {
			write(n.Pos(), n.Sel.Pos(), "")
		}
		return false
	case *ast.Ident:
		if s.owners[n.Name] != nil {
			write(n.Pos(), n.End(), universeName+"."+capital(n.Name))
		}
	}
	return true
}
