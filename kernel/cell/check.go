package cell

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// Checked is a cell with the types of all that it says, and of all that it needs.
type Checked struct {
	*Change
	need
	imports importing

	info *types.Info
	pkg  *types.Package
	run  *ast.FuncDecl // the cell's statements
	// hoisted are outermost variables that functions use, so that they are the
	// package's already when the functions are compiled.
	hoisted map[string]types.Type
	// scoped are session variables that the statements see in their own scope: Go's
	// own names, and those that the statements declare with another type.
	scoped map[string]*variable
	// result is the cell's last expression, whose value is shown.
	result ast.Expr
}

// Check finds the types of the cell. What does not fit a type that the cell has changed,
// and can be left out, is left out.
func (c *Change) Check(packages Packages) (*Checked, error) {
	next := *c
	next.after = c.after.clone()
	next.layout, next.methods, next.funcs = maps.Clone(c.layout), maps.Clone(c.methods), maps.Clone(c.funcs)
	c = &next
	if err := c.tooDeep(); err != nil {
		return nil, err
	}
	imports, err := c.imports(packages)
	if err != nil {
		return nil, err
	}
	for {
		k := c.types(packages, imports)
		mistakes, broken := k.judge()
		if len(broken) > 0 {
			c = k.without(broken)
			continue
		}
		if len(mistakes) > 0 {
			return nil, sorted(mistakes)
		}
		return k.Checked, nil
	}
}

// types type-checks the cell. If it has functions that use the variables of its
// outermost statements, the statements go first, without the functions' bodies.
func (c *Change) types(packages Packages, imports importing) *checker {
	redefined := c.names()
	k := &checker{Checked: &Checked{Change: c, need: c.reach(redefined), imports: imports}, packages: packages}
	used := c.usedByFunctions(redefined)
	maps.DeleteFunc(used, func(name string, _ bool) bool { return imports.byName[name] != "" }) // functions see the package
	if len(used) > 0 {
		k.outline = used
	}
	k.check()
	if k.namedAsTypes(); len(k.mistakes) > 0 {
		return k
	}
	moved := k.moved()
	for name := range moved {
		used[name] = used[name] || k.usedByEarlier(name)
		c.funcs[name] = true
	}
	if len(moved) > 0 {
		c.propagate()
		k.need = c.reach(redefined)
	}
	hoisted := map[string]types.Type{}
	for _, id := range c.parsed.defined() {
		if obj := k.info.Defs[id]; obj != nil && used[id.Name] && keepable(obj.Type(), k.pkg.Scope()) {
			hoisted[id.Name] = obj.Type()
		}
	}
	if len(hoisted) == 0 && len(k.outline) == 0 && len(moved) == 0 {
		return k
	}
	again := &checker{Checked: &Checked{Change: c, need: k.withoutHidden(hoisted), imports: imports, hoisted: hoisted}, packages: packages}
	again.check()
	return again
}

// withoutHidden is what the cell needs without the earlier declarations whose names the
// variables take, unless its statements read them before.
func (k *checker) withoutHidden(hoisted map[string]types.Type) need {
	hidden := map[string]bool{}
	for name := range hoisted {
		hidden[name] = k.before.owners[name] != nil
	}
	for id, obj := range k.info.Uses {
		if hidden[id.Name] && obj.Parent() == k.pkg.Scope() && slices.ContainsFunc(k.parsed.body, func(s ast.Stmt) bool { return s.Pos() <= id.Pos() && id.Pos() < s.End() }) {
			delete(hidden, id.Name)
		}
	}
	n := need{earlierVars: k.earlierVars}
	for _, d := range k.earlier {
		for _, name := range d.names {
			if d != nil && hidden[name] {
				d = k.parsed.sources.without(d, name)
			}
		}
		if d != nil && !hidden[d.base] {
			n.earlier = append(n.earlier, d)
		}
	}
	return n
}

// namedAsTypes finds variables that have the name of their own type, which Go has in a
// function, where the type's name is then hidden. In a notebook, the next cell has to
// declare the variable, and must be able to name its type.
func (k *checker) namedAsTypes() {
	for _, id := range k.parsed.defined() {
		if obj := k.info.Defs[id]; obj != nil && ownTypes(obj.Type())[id.Name] {
			k.mistakes = append(k.mistakes, at(k.parsed.sources.fset, id.Pos(), k.parsed.cell.Number,
				fmt.Sprintf("%[1]s is a type, and a variable of it lives on and needs a name of its own: rename the variable or the type", id.Name)))
		}
	}
}

// names are those that the cell's statements define, but for Go's own.
func (c *Change) names() map[string]bool {
	names := map[string]bool{}
	for _, id := range c.parsed.defined() {
		names[id.Name] = !reserved(id.Name)
	}
	return names
}

// usedByFunctions are the names among those of statements that the cell's functions
// use, too.
func (c *Change) usedByFunctions(names map[string]bool) map[string]bool {
	used := map[string]bool{}
	for _, list := range [][]*decl{c.parsed.decls, c.parsed.once} {
		for _, d := range list {
			for name := range d.uses {
				if names[name] {
					used[name] = true
				}
			}
		}
	}
	return used
}

func (k *checker) usedByEarlier(name string) bool {
	return slices.ContainsFunc(k.earlier, func(d *decl) bool { return d.uses[name] })
}

// moved are the names that become variables of another type, or at all.
func (k *checker) moved() map[string]bool {
	moved := map[string]bool{}
	for _, id := range k.parsed.defined() {
		obj := k.info.Defs[id]
		if obj == nil {
			continue
		}
		v := k.before.vars[id.Name]
		if k.before.owners[id.Name] != nil || v != nil && !k.stays(v, obj.Type()) || v == nil && k.usedByEarlier(id.Name) {
			moved[id.Name] = true
		}
	}
	return moved
}

// stays says whether a variable may stay where it is if it is declared with type t.
func (c *Change) stays(v *variable, t types.Type) bool {
	own := ownTypes(t)
	if hits(own, c.layout) || hits(own, c.methods) {
		return false
	}
	return sameText(v.typ, t)
}

// checker runs go/types.
type checker struct {
	*Checked
	packages Packages
	outline  map[string]bool // functions that use these have no bodies
	errs     []types.Error
	mistakes []Mistake // that are a notebook's, not Go's
}

func (k *checker) check() {
	k.info = &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Instances: map[*ast.Ident]types.Instance{},
	}
	conf := types.Config{
		Importer: withUniverse{k.packages},
		Error: func(err error) {
			var e types.Error
			if errors.As(err, &e) {
				k.errs = append(k.errs, e)
			}
		},
	}
	files := append(k.earlierFiles(), k.cellFile())
	k.pkg, _ = conf.Check(packagePath, k.parsed.sources.fset, files, k.info)
}

// earlierFiles are those of earlier cells: one with the variables, and one for each
// declaration, which has imports of its own.
func (k *checker) earlierFiles() []*ast.File {
	var vars, params strings.Builder
	k.scoped = map[string]*variable{}
	for _, v := range k.variables() {
		t := k.after.typeText(v.typ)
		hoisted, moves := k.hoisted[v.name]
		if reserved(v.name) || moves && !types.Identical(hoisted, v.typ) {
			fmt.Fprintf(&params, "%s %s, ", v.name, t)
			k.scoped[v.name] = v
		}
		if !reserved(v.name) && !moves {
			fmt.Fprintf(&vars, "var %s %s\n", v.name, t)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(k.hoisted)) {
		fmt.Fprintf(&vars, "var %s %s\n", name, k.after.typeText(k.hoisted[name]))
	}
	text := "package main\n" + vars.String() + "func _(" + params.String() + ") {}\n"
	f, err := parser.ParseFile(k.parsed.sources.fset, "gradbook", text, parser.SkipObjectResolution)
	if err != nil {
		panic(fmt.Sprintf("variables that were declared cannot be: %v\n%s", err, text))
	}
	k.run = &ast.FuncDecl{Type: f.Decls[len(f.Decls)-1].(*ast.FuncDecl).Type}
	f.Decls[len(f.Decls)-1] = importDecl(f.Package, k.aliasNames(), nil)
	slices.Reverse(f.Decls)
	files := []*ast.File{f}
	for _, d := range k.earlier {
		files = append(files, k.file(d.start, d.packages, nil, d.node))
	}
	return files
}

func (k *checker) variables() []*variable {
	return slices.DeleteFunc(slices.Clone(k.earlierVars), func(v *variable) bool {
		return k.imports.byName[v.name] != "" // the cell imports a package of that name
	})
}

// aliasNames are the packages by the names that they have in what is compiled.
func (k *checker) aliasNames() map[string]string {
	byName := make(map[string]string, len(k.after.aliases))
	for path, name := range k.after.aliases {
		byName[name] = path
	}
	delete(byName, runtimeName)
	if k.after.hidesUniverse() {
		byName[universeName] = universePath
	}
	return byName
}

// file is a file of declarations, around one that has been parsed.
func (k *checker) file(pos token.Pos, imports map[string]string, dots []string, decls ...ast.Decl) *ast.File {
	of := k.parsed.sources.fset.File(pos)
	start, end := token.Pos(of.Base()), token.Pos(of.Base()+of.Size())
	f := &ast.File{Package: start, Name: &ast.Ident{NamePos: start, Name: "main"}, FileStart: start, FileEnd: end}
	f.Decls = append(f.Decls, importDecl(start, imports, dots))
	f.Decls = append(f.Decls, decls...)
	return f
}

// cellFile is the cell's own.
func (k *checker) cellFile() *ast.File {
	var decls []ast.Decl
	for _, list := range [][]*decl{k.parsed.decls, k.vars, k.parsed.once} {
		for _, d := range list {
			decls = append(decls, k.withoutBody(d))
		}
	}
	pos := k.parsed.first
	k.run.Name = &ast.Ident{NamePos: pos, Name: runName}
	// Within a block of their own, statements may declare what the function's scope has.
	inner := &ast.BlockStmt{Lbrace: pos, List: k.parsed.body, Rbrace: pos}
	k.run.Body = &ast.BlockStmt{Lbrace: pos, List: []ast.Stmt{inner}, Rbrace: pos}
	imports := maps.Clone(k.imports.byName)
	maps.Copy(imports, k.aliasNames())
	return k.file(pos, imports, k.imports.dots, append(decls, k.run)...)
}

// runName is the function with the cell's statements, as it is checked.
const runName = "runʹ"

func (k *checker) withoutBody(d *decl) ast.Decl {
	fn, ok := d.node.(*ast.FuncDecl)
	if !ok || !hits(d.uses, k.outline) {
		return d.node
	}
	bare := *fn
	bare.Body = nil
	return &bare
}
