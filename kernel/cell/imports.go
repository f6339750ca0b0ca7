package cell

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Packages are what cells can import.
type Packages interface {
	types.Importer
	// Names returns the names of the importable packages by import path.
	Names() map[string]string
}

// importing is the imports of a cell's file: those that it or an earlier cell asks
// for, and those of packages whose names it uses without asking.
type importing struct {
	byName map[string]string // path by local name
	dots   []string
	blank  []string // for their effects
}

// imports finds the packages that the cell uses. It records in after what it asks for.
func (c *Change) imports(packages Packages) (importing, error) {
	in := importing{byName: map[string]string{}}
	asked := map[string]bool{}
	for _, i := range c.parsed.imports {
		if i.path == "C" {
			return in, &Error{[]Mistake{at(c.parsed.sources.fset, i.pos, c.parsed.cell.Number, noCgo)}}
		}
		p, err := packages.Import(i.path)
		if err != nil {
			return in, &Error{[]Mistake{at(c.parsed.sources.fset, i.pos, c.parsed.cell.Number, err.Error())}}
		}
		switch i.alias {
		case "_":
			in.blank = append(in.blank, i.path)
		case ".":
			if !slices.Contains(c.after.dots, i.path) {
				c.after.dots = append(c.after.dots, i.path)
			}
		default:
			name := cmp.Or(i.alias, p.Name())
			c.give(name)
			c.after.imports[name] = i.path
			asked[name] = true
		}
	}
	in.dots = c.after.dots
	f := newFinder(packages)
	used := c.usedByFunctions(c.names())
	for name, selectors := range c.selected() {
		switch {
		case asked[name]:
		case c.declares(name):
			continue
		case used[name]: // a variable of the cell's, unless it can only be a package
			if path := cmp.Or(c.after.imports[name], f.find(name, selectors)); path != "" && f.exports(path, selectors) {
				in.byName[name] = path
			}
			continue
		case c.after.imports[name] == "":
			if path := f.find(name, selectors); path != "" {
				in.byName[name] = path
			}
			continue
		}
		in.byName[name] = c.after.imports[name]
	}
	return in, nil
}

const noCgo = `cgo is not possible in a cell; put the C into a package of a module, and import that: a folder with a go.mod, ` +
	"and !*go mod edit -replace and !*go get for it"

// give takes a name from what has it, since it is a package's from now on.
func (c *Change) give(name string) {
	if slices.ContainsFunc(c.parsed.decls, func(d *decl) bool { return slices.Contains(d.names, name) }) || c.initialised(name) {
		return // a mistake
	}
	if o := c.after.owners[name]; o != nil {
		c.displace(o, name)
		c.funcs[name] = true
		c.propagate()
	} else if c.after.vars[name] != nil {
		delete(c.after.vars, name)
		c.lost = append(c.lost, name)
	} else {
		return
	}
	c.notes = append(c.notes, name+" is gone: it is the name of a package now")
}

// declares says whether a name is the notebook's own at package level.
func (c *Change) declares(name string) bool {
	return c.after.owners[name] != nil || c.after.vars[name] != nil || c.initialised(name)
}

// selected are the names in the cell that stand before a dot, with what follows it.
func (c *Change) selected() map[string]map[string]bool {
	found := map[string]map[string]bool{}
	visit := func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok {
			if found[x.Name] == nil {
				found[x.Name] = map[string]bool{}
			}
			found[x.Name][s.Sel.Name] = true
		}
		return true
	}
	for _, list := range [][]*decl{c.parsed.decls, c.parsed.vars, c.parsed.once} {
		for _, d := range list {
			ast.Inspect(d.node, visit)
		}
	}
	for _, s := range c.parsed.body {
		ast.Inspect(s, visit)
	}
	return found
}

// importDecl is a file's import of packages, by local name.
func importDecl(pos token.Pos, byName map[string]string, dots []string) *ast.GenDecl {
	g := &ast.GenDecl{TokPos: pos, Tok: token.IMPORT, Lparen: pos, Rparen: pos}
	add := func(name, path string) {
		g.Specs = append(g.Specs, &ast.ImportSpec{Name: &ast.Ident{NamePos: pos, Name: name}, Path: &ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: strconv.Quote(path)}})
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		add(name, byName[name])
	}
	for _, path := range dots {
		add(".", path)
	}
	return g
}

// finder finds packages by what is used of them.
type finder struct {
	packages Packages
	paths    map[string][]string // by name
}

func newFinder(packages Packages) finder {
	f := finder{packages: packages, paths: map[string][]string{}}
	for path, name := range packages.Names() {
		if !strings.Contains(path, "/kernel/") {
			f.paths[name] = append(f.paths[name], path)
		}
	}
	return f
}

// Rank orders the packages of one name: Gradbook's first, and math/rand/v2 before
// math/rand, or a declaration that says rand.Rand only would mean the older.
func Rank(path string) int {
	switch {
	case strings.HasPrefix(path, "github.com/gradbook/gradbook/"):
		return 0
	case !strings.Contains(path, "."):
		if path == "html/template" || path == "math/rand" || path == "crypto/rand" || strings.HasPrefix(path, "testing/") {
			return 2
		}
		return 1
	}
	return 3
}

// find returns the package of a name that exports all of the selectors or, if there is
// none, the first of the name.
func (f finder) find(name string, selectors map[string]bool) string {
	candidates := f.paths[name]
	slices.SortFunc(candidates, func(a, b string) int {
		return cmp.Or(cmp.Compare(Rank(a), Rank(b)), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	for _, path := range candidates {
		if f.exports(path, selectors) {
			return path
		}
	}
	if len(candidates) > 0 {
		return candidates[0]
	}
	return ""
}

// exports says whether a package exports all of the names.
func (f finder) exports(path string, names map[string]bool) bool {
	p, err := f.packages.Import(path)
	if err != nil {
		return false
	}
	for name := range names {
		if p.Scope().Lookup(name) == nil {
			return false
		}
	}
	return true
}
