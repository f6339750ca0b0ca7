package cell

import (
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
)

const (
	// packagePath is the import path of the package that a notebook is.
	packagePath = "main"
	// runtimePath is the package by which cells talk to the session, runtimeName
	// its name in them.
	runtimePath = "github.com/gradbook/gradbook/kernel/session/calls"
	runtimeName = "gradbookʹ"
)

// State is what the cells of a notebook have declared. It never changes: a cell brings
// the next.
type State struct {
	decls    map[string]*decl     // by key
	owners   map[string]*decl     // by name: types, functions, constants
	vars     map[string]*variable // by name
	imports  map[string]string    // that cells have asked for: path by local name
	dots     []string             // paths of dot imports
	versions map[string]int       // of names that have been used
	aliases  map[string]string    // names of packages in what is compiled, by path
	locals   int                  // how many local types there have been
	unkept   map[string]string    // why a variable is only its cell's, by name
	removed  map[string]bool      // types that have lost methods since the last cell
	edited   map[string]bool      // import paths of packages that are others since the last cell
	// values holds the names of types of which there may be values.
	values map[string]bool
	// instances are those of generic types, of which there may be values, too.
	instances map[string][]types.Type
}

// variable is a session variable.
type variable struct {
	name    string
	typ     types.Type
	version int
	decl    *decl // nil if a statement declared it
	// indirect is true of a variable whose type has got other methods: what is
	// compiled is a pointer of the new type to where the variable has always been.
	indirect bool
}

// ref is how the compiled file refers to the variable.
func (v *variable) ref() string {
	if v.indirect {
		return "(*" + emitted(v.name, v.version) + ")"
	}
	return emitted(v.name, v.version)
}

// reserved says whether a name is Go's own at package level, so that only statements can
// have a variable of this name.
func reserved(name string) bool {
	return types.Universe.Lookup(name) != nil || name == "init" || name == "main"
}

// emitted is a name as the compiled file has it. A name that Go declares itself always
// has a prime, since the file needs Go's own.
func emitted(name string, version int) string {
	if version == 0 && !reserved(name) {
		return name
	}
	return name + "ʹ" + strconv.Itoa(version)
}

// NewState is that of a notebook without cells.
func NewState() State {
	return State{
		decls: map[string]*decl{}, owners: map[string]*decl{}, vars: map[string]*variable{},
		imports: map[string]string{}, versions: map[string]int{}, aliases: map[string]string{runtimePath: runtimeName}, values: map[string]bool{},
		unkept: map[string]string{}, removed: map[string]bool{}, edited: map[string]bool{}, instances: map[string][]types.Type{},
	}
}

func (s State) clone() State {
	s.decls, s.owners, s.vars = maps.Clone(s.decls), maps.Clone(s.owners), maps.Clone(s.vars)
	s.imports, s.dots, s.versions = maps.Clone(s.imports), slices.Clone(s.dots), maps.Clone(s.versions)
	s.aliases, s.values, s.instances = maps.Clone(s.aliases), maps.Clone(s.values), maps.Clone(s.instances)
	s.unkept, s.removed, s.edited = maps.Clone(s.unkept), maps.Clone(s.removed), maps.Clone(s.edited)
	return s
}

// set makes a declaration that of its names. It changes s, which must be a clone.
func (s State) set(d *decl) {
	s.decls[d.key] = d
	for _, name := range d.names {
		s.owners[name] = d
	}
}

// drop forgets a declaration, and with a type its methods. It changes s.
func (s State) drop(d *decl) {
	delete(s.decls, d.key)
	for _, name := range d.names {
		if s.owners[name] == d {
			delete(s.owners, name)
		}
	}
	if d.kind == typeDecl {
		for _, m := range s.methods(d.key) {
			delete(s.decls, m.key)
		}
	}
}

// methods are those of a type, in the order of their names.
func (s State) methods(base string) (list []*decl) {
	for _, key := range slices.Sorted(maps.Keys(s.decls)) {
		if d := s.decls[key]; d.base == base && d.kind == methodDecl {
			list = append(list, d)
		}
	}
	return list
}

// alias is the name of a package in what is compiled, which no author uses. It changes
// s if the package has none yet.
func (s State) alias(path, name string) string { return addImport(s.aliases, path, name+"ʹp") }

// addImport returns the name of a path in imports, which is added if it is missing:
// as name or, if that is taken, with a number behind it.
func addImport(imports map[string]string, path, name string) string {
	if alias, ok := imports[path]; ok {
		return alias
	}
	taken := map[string]bool{}
	for _, alias := range imports {
		taken[alias] = true
	}
	alias := name
	for i := 2; taken[alias]; i++ {
		alias = name + strconv.Itoa(i)
	}
	imports[path] = alias
	return alias
}

// at0 is the first position of a cell.
func at0(number int) token.Position {
	return token.Position{Filename: fileName(number), Line: 1, Column: 1}
}
