package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// File is what a cell is compiled to.
type File struct {
	template string
	// Notes tell of values that are lost or made anew.
	Notes []string
	// Embeds are the patterns of its go:embed directives.
	Embeds []string
}

// Marks in the template; no Go source holds a zero byte.
const (
	libraryMark = "\x00library\x00" // stands for the library's number
	cellMark    = "\x00cell\x00"    // stands for the cell's number
)

// Key is the same for cells that are compiled to the same file, whatever their number.
func (f *File) Key() string { return f.template }

// Source is the file, as library and cell of these numbers.
func (f *File) Source(library, cell int) []byte {
	return []byte(strings.NewReplacer(libraryMark, itoa(library), cellMark, itoa(cell)).Replace(f.template))
}

// edit replaces a part of a text.
type edit struct {
	start, end int
	text       string
	path       string // of the package that it names, if it does
}

// emission is a file being written.
type emission struct {
	*Checked
	next     State
	edits    map[*unit][]edit
	names    map[types.Object]string // of variables and local types
	refs     map[string]string       // of session variables, by name
	fresh    []*variable             // to announce: new ones and those that move
	carried  map[string]*variable    // those that move
	unkept   map[*ast.Ident]bool     // outermost variables that cannot live on
	locals   map[*decl][]int         // of the cell's declarations
	used     map[string]bool         // paths of packages
	consumed map[*ast.Ident]bool     // names that are replaced as a part of more
	embedded map[string]bool         // variables that go:embed fills
	embeds   []string
	written  map[*ast.Ident]bool // identifiers that are assigned to, once they are looked for
	deferred map[*ast.Ident]bool // and those in function literals
	script   *section            // of a program that is written, or nil
}

// Emit writes the file to compile, and returns what the notebook is after the cell.
func (k *Checked) Emit() (*File, State) {
	e := newEmission(k)
	e.raise()
	e.variables()
	e.localTypes()
	e.statements()
	e.calls()
	e.rename()
	e.sortEdits()
	f := &File{template: e.render(), Notes: k.notes, Embeds: e.embeds}
	e.settleAll()
	return f, e.next
}

func newEmission(k *Checked) *emission {
	return &emission{
		Checked: k, next: k.after.clone(), edits: map[*unit][]edit{}, names: map[types.Object]string{}, refs: map[string]string{},
		carried: map[string]*variable{}, locals: map[*decl][]int{}, used: map[string]bool{}, consumed: map[*ast.Ident]bool{}, embedded: map[string]bool{},
	}
}

func (e *emission) sortEdits() {
	for _, list := range e.edits {
		slices.SortStableFunc(list, func(a, b edit) int { return a.start - b.start })
	}
}

// raise gives what has changed a further version.
func (e *emission) raise() {
	for _, set := range []map[string]bool{e.layout, e.methods, e.funcs} {
		for name := range set {
			if v, ok := e.before.versions[name]; ok && e.after.owners[name] != nil {
				e.next.versions[name] = v + 1
			}
		}
	}
	for name := range e.after.owners {
		if _, ok := e.next.versions[name]; !ok {
			e.next.versions[name] = 0
		}
	}
}

// variables finds the cell's variables and their versions.
func (e *emission) variables() {
	for _, v := range e.earlierVars {
		e.refs[v.name] = v.ref()
	}
	for _, d := range e.vars {
		for _, name := range d.names {
			if obj := e.pkg.Scope().Lookup(name); obj != nil {
				e.define(name, obj, d)
			}
		}
		for _, pattern := range d.embeds {
			e.embeds = append(e.embeds, pattern)
			e.embedded[d.names[0]] = true
		}
	}
	e.carry()
	e.findUnkept()
	for _, id := range e.parsed.defined() {
		if obj := e.info.Defs[id]; obj != nil && id.Name != "_" && !e.unkept[id] {
			e.define(id.Name, obj, nil)
		}
	}
}

// define makes a variable that the cell declares.
func (e *emission) define(name string, obj types.Object, d *decl) {
	if moved := e.carried[name]; moved != nil && d == nil && sameText(moved.typ, obj.Type()) {
		e.names[obj] = moved.ref() // it stays where it is, and gets a new value
		return
	}
	delete(e.next.unkept, name)
	v := &variable{name: name, typ: obj.Type(), decl: d}
	before := e.before.vars[name]
	embeds := d != nil && len(d.embeds) > 0 // a further library's copy would not be seen
	if before != nil && e.stays(before, v.typ) && e.after.owners[name] == nil && !embeds {
		v.version, v.indirect = before.version, before.indirect
	} else if used, ok := e.next.versions[name]; ok { // also by the old one, if that has moved
		v.version = used + 1
		if before != nil && e.after.owners[name] == nil && sameText(before.typ, v.typ) && !hits(ownTypes(v.typ), e.layout) && !embeds {
			v.indirect = true // its type has got other methods
			e.carried[name] = v
		}
	}
	e.next.versions[name] = v.version
	if o := e.next.owners[name]; o != nil {
		e.next.drop(o)
		if rest := e.parsed.sources.without(o, name); rest != nil {
			e.next.set(rest)
		}
	}
	e.next.vars[name] = v
	e.fresh = append(e.fresh, v)
	e.names[obj] = v.ref()
	if e.hoisted[name] != nil || d != nil {
		e.refs[name] = v.ref()
	}
}

// carry moves variables whose types have got other methods to the new types.
func (e *emission) carry() {
	for _, v := range e.earlierVars {
		obj := e.pkg.Scope().Lookup(v.name)
		if obj == nil || !hits(ownTypes(v.typ), e.methods) {
			continue
		}
		if t := e.hoisted[v.name]; t != nil && !sameText(t, v.typ) {
			continue
		}
		moved := &variable{name: v.name, typ: obj.Type(), decl: v.decl, version: e.before.versions[v.name] + 1, indirect: true}
		e.next.versions[v.name], e.next.vars[v.name] = moved.version, moved
		e.fresh = append(e.fresh, moved)
		e.carried[v.name] = moved
		e.refs[v.name] = moved.ref()
	}
}

// findUnkept finds outermost variables whose types cannot be named in a later cell.
// They, and those of the same statement, live as long as their cell.
func (e *emission) findUnkept() {
	e.unkept = map[*ast.Ident]bool{}
	if e.parsed.cell.HasMain {
		return
	}
	for _, s := range e.parsed.outermost() {
		ids := definedBy(s)
		at := slices.IndexFunc(ids, func(id *ast.Ident) bool {
			obj := e.info.Defs[id]
			return obj != nil && id.Name != "_" && !keepable(obj.Type(), e.pkg.Scope())
		})
		if at < 0 {
			continue
		}
		why := fmt.Sprintf("only the cell that declares it has it: other cells cannot name the type of %s, %s", ids[at].Name, typeText(e.info.Defs[ids[at]].Type(), (*types.Package).Name))
		for _, id := range ids {
			e.unkept[id] = true
			e.next.unkept[id.Name] = why
		}
	}
}

// replace puts text in the place of what is between two positions.
func (e *emission) replace(from, to token.Pos, text string) { e.edit(from, to, text, "") }

// insert puts text before a position.
func (e *emission) insert(at token.Pos, text string) { e.edit(at, at, text, "") }

func (e *emission) edit(from, to token.Pos, text, path string) {
	u, a := e.parsed.sources.place(from)
	_, b := e.parsed.sources.place(to)
	if u != nil {
		e.edits[u] = append(e.edits[u], edit{a, b, text, path})
	}
}

// edited returns the text between two positions, with the edits in it.
func (e *emission) edited(from, to token.Pos) string {
	u, start := e.parsed.sources.place(from)
	_, end := e.parsed.sources.place(to)
	end = min(end, len(u.text)) // an empty statement ends where the parser's footer does
	var b strings.Builder
	at := start
	for _, d := range e.edits[u] {
		if d.start < at || d.end > end {
			continue
		}
		b.WriteString(u.text[at:d.start])
		b.WriteString(d.text)
		at = d.end
		if d.path != "" {
			e.used[d.path] = true
		}
	}
	b.WriteString(u.text[at:end])
	return b.String()
}

// ownMark marks the notebook's own types in the text of a type.
const ownMark = "\x00own"

var ownName = regexp.MustCompile(ownMark + `\.[\pL_][\pL\pN_]*`)

// typeText writes a type as the compiled file names it.
func (e *emission) typeText(t types.Type) string {
	text := types.TypeString(t, func(p *types.Package) string {
		if p.Path() == packagePath {
			return ownMark
		}
		e.used[ImportPath(p)] = true
		return e.next.alias(ImportPath(p), p.Name())
	})
	return ownName.ReplaceAllStringFunc(text, func(s string) string {
		name := s[len(ownMark)+1:]
		return emitted(name, e.next.versions[name])
	})
}

// settleAll makes the cell's declarations those of the notebook.
func (e *emission) settleAll() {
	runs := len(e.parsed.body)+len(e.vars)+len(e.parsed.once) > 0 || e.parsed.cell.Call != ""
	for _, d := range e.earlier {
		if runs && d.kind == typeDecl {
			e.next.values[d.key] = true
		}
	}
	for _, d := range e.parsed.decls {
		if e.next.decls[d.key] == d {
			e.next.set(e.settled(d))
		}
		if d.kind == typeDecl {
			e.next.values[d.key] = runs || e.next.values[d.key] && !e.layout[d.key]
		}
	}
	e.keepInstances()
	settled := map[*decl]*decl{}
	for _, name := range slices.Sorted(maps.Keys(e.next.vars)) {
		v := e.next.vars[name]
		if !slices.Contains(e.parsed.vars, v.decl) {
			continue
		}
		if settled[v.decl] == nil {
			settled[v.decl] = e.settled(v.decl)
		}
		v.decl = settled[v.decl]
	}
}

// settled is a declaration of the cell as later cells have it: in the author's words,
// but with the names of packages that mean the same in every file.
func (e *emission) settled(d *decl) *decl {
	s := e.parsed.sources
	u, start := s.place(d.start)
	_, end := s.place(d.end)
	var b strings.Builder
	b.WriteString(d.prefix)
	packages := map[string]string{}
	at := start
	ast.Inspect(d.node, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		p, ok := e.info.Uses[id].(*types.PkgName)
		if !ok {
			return true
		}
		path := ImportPath(p.Imported())
		alias := e.next.alias(path, p.Imported().Name())
		packages[alias] = path
		_, from := s.place(id.Pos())
		b.WriteString(u.text[at:from] + alias)
		at = from + len(id.Name)
		return true
	})
	b.WriteString(u.text[at:end])
	out := s.settle(d, b.String())
	out.packages, out.uses, out.locals = packages, e.uses(d), e.locals[d]
	return out
}

// uses are the names of the package that a declaration means, and not others of the
// same spelling.
func (e *emission) uses(d *decl) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(d.node, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if obj := e.info.Uses[id]; obj != nil && obj.Parent() == e.pkg.Scope() {
				names[obj.Name()] = true
			}
		}
		return true
	})
	return names
}
