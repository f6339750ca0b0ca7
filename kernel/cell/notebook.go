// Package cell turns the cells of a notebook into pieces of one Go package.
//
// A cell becomes a source file that holds what the cell says and the
// declarations of earlier cells that it needs. All files belong to the same
// package, so a name, a type and an unexported field mean the same in each of
// them, and the loader takes what it has already for the same thing: a variable
// is the variable, a type the type. When a declaration changes, it and what
// depends on it get a further prime (x, xʹ, xʹ2), since what is loaded stays.
//
// The steps: split cuts the cell into declarations and statements; compose
// writes them down as a file that go/types checks, in the author's own names;
// emit turns the checked file into the one that is compiled.
package cell

import (
	"fmt"
	"go/types"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Packages are what cells can import.
type Packages interface {
	types.Importer
	// Names returns the names of the importable packages by import path.
	Names() map[string]string
}

// Notebook is the source of all cells that have run.
type Notebook struct {
	packages Packages
	state
	built map[string]int // libraries by their source
	next  int
}

// state is what a cell may change, and changes only if it builds.
type state struct {
	decls    map[string]*decl     // by key
	owners   map[string]*decl     // by name: types, functions, constants
	vars     map[string]*variable // by name
	imports  map[string]string    // explicit ones: path by local name
	dots     []string             // paths of dot imports
	versions map[string]int       // of names that have been used
}

// variable is a session variable.
type variable struct {
	name    string
	typ     types.Type
	version int
	decl    *decl // nil if := declared it
	// indirect is true of a variable whose type has got other methods: what is
	// emitted is a pointer of the new type to where the variable has always been.
	indirect bool
}

// ref is how the compiled file refers to the variable.
func (v *variable) ref() string {
	if v.indirect {
		return "(*" + emitted(v.name, v.version) + ")"
	}
	return emitted(v.name, v.version)
}

// New returns an empty notebook.
func New(p Packages) *Notebook {
	n := &Notebook{packages: p}
	n.Reset()
	return n
}

// Reset forgets everything.
func (n *Notebook) Reset() {
	n.state = state{
		decls: map[string]*decl{}, owners: map[string]*decl{}, vars: map[string]*variable{},
		imports: map[string]string{}, versions: map[string]int{},
	}
	n.built = map[string]int{}
}

// Lose forgets the variables, as when the session has died, but not the
// declarations. It returns their names.
func (n *Notebook) Lose() []string {
	names := n.Variables()
	n.vars = map[string]*variable{}
	n.built = map[string]int{}
	return names
}

// Variables returns the names of the session variables, sorted.
func (n *Notebook) Variables() []string { return slices.Sorted(maps.Keys(n.vars)) }

// Remove forgets declarations or variables by name, and says whether there was
// one of each.
func (n *Notebook) Remove(name string) bool {
	d, found := n.owners[name]
	if found {
		n.drop(d)
	}
	if _, ok := n.vars[name]; ok {
		found = true
		delete(n.vars, name)
	}
	if d, ok := n.decls[name]; ok { // a method, as T.m
		found = true
		n.drop(d)
	}
	return found
}

// Declarations returns the keys of what is declared, by kind.
func (n *Notebook) Declarations() map[string][]string {
	out := map[string][]string{}
	for key, d := range n.decls {
		kind := map[kind]string{constDecl: "constants", typeDecl: "types", funcDecl: "functions", methodDecl: "methods"}[d.kind]
		if kind != "" {
			out[kind] = append(out[kind], key)
		}
	}
	for name := range n.vars {
		out["variables"] = append(out["variables"], name)
	}
	for name, path := range n.imports {
		out["imports"] = append(out["imports"], name+" "+strconv.Quote(path))
	}
	for _, list := range out {
		sort.Strings(list)
	}
	return out
}

// SourceWithout returns all declarations but those of names, as a file without a
// package clause: imports first, and variables with their types.
func (n *Notebook) SourceWithout(names map[string]bool) string {
	var b strings.Builder
	imports := map[string]string{}
	for name, path := range n.imports {
		imports[path] = name
	}
	var body strings.Builder
	for _, key := range slices.Sorted(maps.Keys(n.decls)) {
		if d := n.decls[key]; d.kind != varDecl && !names[key] {
			fmt.Fprintf(&body, "%s\n\n", d.text)
		}
	}
	for _, name := range n.Variables() {
		if names[name] {
			continue
		}
		fmt.Fprintf(&body, "var %s %s\n", name, typeText(n.vars[name].typ, plainAliases(imports)))
	}
	for _, path := range slices.Sorted(maps.Keys(imports)) {
		fmt.Fprintf(&b, "import %s %q\n", imports[path], path)
	}
	for _, path := range n.dots {
		fmt.Fprintf(&b, "import . %q\n", path)
	}
	return b.String() + "\n" + body.String()
}

// typeText writes a type in the author's names. alias names the packages of
// other types.
func typeText(t types.Type, alias func(*types.Package) string) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p.Path() == packagePath {
			return ""
		}
		return alias(p)
	})
}

// plainAliases name packages as they call themselves, or as imports has them,
// and add what is missing to imports, whose keys are paths.
func plainAliases(imports map[string]string) func(*types.Package) string {
	return func(p *types.Package) string { return addImport(imports, p.Path(), p.Name()) }
}

// reservedAliases name packages as no author does, so that a variable may be
// called like one.
func reservedAliases(imports map[string]string) func(*types.Package) string {
	return func(p *types.Package) string { return addImport(imports, p.Path(), p.Name()+"ʹp") }
}

// addImport returns the name of a path in imports, which is added if it is
// missing: as name or, if that is taken, with a number behind it.
func addImport(imports map[string]string, path, name string) string {
	if alias, ok := imports[path]; ok {
		return alias
	}
	alias := name
	for i := 2; slices.Contains(slices.Collect(maps.Values(imports)), alias); i++ {
		alias = fmt.Sprintf("%s%d", name, i)
	}
	imports[path] = alias
	return alias
}

func (s *state) drop(d *decl) {
	delete(s.decls, d.key)
	for _, name := range d.names {
		if s.owners[name] == d {
			delete(s.owners, name)
		}
	}
	if d.kind == typeDecl {
		for key, m := range s.decls {
			if m.base == d.key {
				delete(s.decls, key)
			}
		}
	}
}

func (s *state) clone() state {
	return state{
		decls: maps.Clone(s.decls), owners: maps.Clone(s.owners), vars: maps.Clone(s.vars),
		imports: maps.Clone(s.imports), dots: slices.Clone(s.dots), versions: maps.Clone(s.versions),
	}
}

// emitted is a name as the compiled file has it.
func emitted(name string, version int) string {
	switch version {
	case 0:
		return name
	case 1:
		return name + "ʹ"
	}
	return name + "ʹ" + strconv.Itoa(version)
}

// sessionTypes are the names of the notebook's own types in t.
func sessionTypes(t types.Type) map[string]bool {
	names, seen := map[string]bool{}, map[types.Type]bool{}
	var walk func(types.Type)
	walk = func(t types.Type) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		switch t := t.(type) {
		case *types.Alias:
			if p := t.Obj().Pkg(); p != nil && p.Path() == packagePath {
				names[t.Obj().Name()] = true
			}
			walk(types.Unalias(t))
		case *types.Named:
			if p := t.Obj().Pkg(); p != nil && p.Path() == packagePath {
				names[t.Obj().Name()] = true
			}
			for a := range t.TypeArgs().Types() {
				walk(a)
			}
		case *types.Pointer:
			walk(t.Elem())
		case *types.Slice:
			walk(t.Elem())
		case *types.Array:
			walk(t.Elem())
		case *types.Chan:
			walk(t.Elem())
		case *types.Map:
			walk(t.Key())
			walk(t.Elem())
		case *types.Signature:
			walk(t.Params())
			walk(t.Results())
		case *types.Tuple:
			for v := range t.Variables() {
				walk(v.Type())
			}
		case *types.Struct:
			for f := range t.Fields() {
				walk(f.Type())
			}
		case *types.Interface:
			for m := range t.Methods() {
				walk(m.Type())
			}
		}
	}
	walk(t)
	return names
}

// keepable says whether a variable of type t can be declared by naming the type.
func keepable(t types.Type, scope *types.Scope) bool {
	seen := map[types.Type]bool{}
	var ok func(types.Type) bool
	named := func(o *types.TypeName) bool {
		switch {
		case o.Pkg() == nil:
			return true
		case o.Pkg().Path() == packagePath:
			return o.Parent() == scope
		}
		return o.Exported() && importable(o.Pkg().Path())
	}
	ok = func(t types.Type) bool {
		if seen[t] {
			return true
		}
		seen[t] = true
		switch t := t.(type) {
		case *types.Basic:
			return t.Kind() != types.UntypedNil && t.Kind() != types.Invalid
		case *types.TypeParam:
			return false
		case *types.Alias:
			return named(t.Obj())
		case *types.Named:
			if !named(t.Obj()) {
				return false
			}
			for a := range t.TypeArgs().Types() {
				if !ok(a) {
					return false
				}
			}
			return true
		case *types.Pointer:
			return ok(t.Elem())
		case *types.Slice:
			return ok(t.Elem())
		case *types.Array:
			return ok(t.Elem())
		case *types.Chan:
			return ok(t.Elem())
		case *types.Map:
			return ok(t.Key()) && ok(t.Elem())
		case *types.Signature:
			return ok(t.Params()) && ok(t.Results())
		case *types.Tuple:
			for v := range t.Variables() {
				if !ok(v.Type()) {
					return false
				}
			}
			return true
		case *types.Struct:
			for f := range t.Fields() {
				if !f.Exported() && f.Pkg().Path() != packagePath || !ok(f.Type()) {
					return false
				}
			}
			return true
		case *types.Interface:
			for m := range t.Methods() {
				if !m.Exported() && m.Pkg().Path() != packagePath || !ok(m.Type()) {
					return false
				}
			}
			return true
		}
		return true
	}
	return ok(t)
}

func importable(path string) bool {
	return !strings.Contains("/"+path+"/", "/internal/") && !strings.Contains("/"+path+"/", "/vendor/")
}
