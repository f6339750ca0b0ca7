package cell

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
)

// raise gives what has changed a further version.
func (e *emission) raise() {
	for _, set := range []map[string]bool{e.layout, e.methods, e.funcs} {
		for name := range set {
			if _, isVar := e.next.vars[name]; isVar {
				continue
			}
			if v, ok := e.notebook.versions[name]; ok {
				e.versions[name] = v + 1
			}
		}
	}
	for _, d := range e.next.decls {
		for _, name := range d.names {
			if _, ok := e.versions[name]; !ok {
				e.versions[name] = 0
			}
		}
	}
}

// variables finds the cell's variables and their versions. It says whether the
// type of an older one has changed.
func (e *emission) variables() (changed bool) {
	old := e.notebook.vars
	define := func(name string, t types.Type, d *decl, obj types.Object) {
		v := &variable{name: name, typ: t, decl: d}
		before, had := old[name]
		switch {
		case had && e.sameType(before.typ, t) && e.next.owners[name] == nil:
			v.version, v.indirect = before.version, before.indirect
		default:
			if used, ok := e.notebook.versions[name]; ok {
				v.version = used + 1
				if !e.funcs[name] {
					e.funcs[name] = true
					changed = changed || had || e.next.owners[name] != nil
				}
			}
			e.versions[name] = v.version
		}
		if d := e.next.owners[name]; d != nil {
			e.next.drop(d)
		}
		e.next.vars[name] = v
		e.vars = append(e.vars, v)
		if n := v.ref(); n != name {
			e.names[obj] = n
		}
	}
	for _, d := range e.freshVars {
		for _, name := range d.names {
			if name == "_" {
				continue
			}
			obj := e.pkg.Scope().Lookup(name)
			if obj == nil {
				continue
			}
			define(name, obj.Type(), d, obj)
		}
	}
	// Variables whose types have got other methods move to the new types.
	for _, v := range e.liveVar {
		for t := range sessionTypes(v.typ) {
			if !e.methods[t] || e.carried[v.name] {
				continue
			}
			obj := e.pkg.Scope().Lookup(v.name)
			if obj == nil {
				continue
			}
			moved := &variable{name: v.name, typ: obj.Type(), decl: v.decl, version: e.notebook.versions[v.name] + 1, indirect: true}
			e.versions[v.name] = moved.version
			e.next.vars[v.name] = moved
			e.vars = append(e.vars, moved)
			e.carried[v.name] = true
			if !e.funcs[v.name] {
				e.funcs[v.name], changed = true, true
			}
		}
	}
	e.findUnkept()
	e.defined(func(id *ast.Ident) {
		obj := e.info.Defs[id]
		if obj == nil || id.Name == "_" || e.unkept[id] {
			return
		}
		define(id.Name, obj.Type(), nil, obj)
		if e.names[obj] == "" {
			e.names[obj] = id.Name
		}
	})
	return changed
}

// findUnkept finds outermost variables whose types cannot be named in a later
// cell. They, and those of the same statement, live as long as their cell.
func (e *emission) findUnkept() {
	e.unkept = map[*ast.Ident]bool{}
	check := func(ids []*ast.Ident) {
		for _, id := range ids {
			if obj := e.info.Defs[id]; obj != nil && id.Name != "_" && !keepable(obj.Type(), e.pkg.Scope()) {
				for _, other := range ids {
					e.unkept[other] = true
				}
				return
			}
		}
	}
	for _, s := range e.outermost() {
		switch s := s.(type) {
		case *ast.AssignStmt:
			var ids []*ast.Ident
			for _, l := range s.Lhs {
				if id, ok := l.(*ast.Ident); ok && s.Tok == token.DEFINE {
					ids = append(ids, id)
				}
			}
			check(ids)
		case *ast.DeclStmt:
			if g, ok := s.Decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
				var ids []*ast.Ident
				for _, spec := range g.Specs {
					ids = append(ids, spec.(*ast.ValueSpec).Names...)
				}
				check(ids)
			}
		}
	}
}

// sameType says whether a variable may stay where it is.
func (e *emission) sameType(a, b types.Type) bool {
	for t := range sessionTypes(b) {
		if e.layout[t] || e.methods[t] {
			return false
		}
	}
	full := func(p *types.Package) string { return p.Path() }
	return types.TypeString(a, full) == types.TypeString(b, full)
}

// rename finds the identifiers that are emitted under another name.
func (e *emission) rename() {
	version := func(obj types.Object) (string, bool) {
		if name, ok := e.names[obj]; ok {
			return name, name != obj.Name()
		}
		if obj.Parent() != e.pkg.Scope() && !isEmbedded(obj) {
			return "", false
		}
		if isEmbedded(obj) && !e.embedsOwn(obj) {
			return "", false
		}
		v := e.versions[obj.Name()]
		if _, isVar := obj.(*types.Var); !isVar && e.next.owners[obj.Name()] == nil {
			v = e.notebook.versions[obj.Name()] // a := has taken its name
		}
		if _, isVar := obj.(*types.Var); isVar && !isEmbedded(obj) {
			variable := e.notebook.vars[obj.Name()]
			if next := e.next.vars[obj.Name()]; next != nil && (e.hoistUp[obj.Name()] || e.carried[obj.Name()]) {
				variable = next
			}
			if variable != nil {
				return variable.ref(), variable.ref() != obj.Name()
			}
		}
		return emitted(obj.Name(), v), v > 0
	}
	visit := func(id *ast.Ident, obj types.Object) {
		if obj == nil || obj.Pkg() != e.pkg {
			return
		}
		if v, ok := obj.(*types.Var); ok {
			obj = v.Origin()
		}
		if name, ok := version(obj); ok {
			e.replace(id.Pos(), id.End(), name)
		}
	}
	for id, obj := range e.info.Uses {
		visit(id, obj)
	}
	for id, obj := range e.info.Defs {
		visit(id, obj)
	}
}

// embedsOwn says whether an embedded field is of a type of the notebook's.
func (e *emission) embedsOwn(obj types.Object) bool {
	t := obj.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	o, ok := t.(interface{ Obj() *types.TypeName })
	return ok && o.Obj().Parent() == e.pkg.Scope()
}

func isEmbedded(obj types.Object) bool {
	v, ok := obj.(*types.Var)
	return ok && v.Embedded()
}

// ownMark marks the notebook's own types in the text of a type.
const ownMark = "\x03"

var ownName = regexp.MustCompile(ownMark + `\.[\pL_][\pL\pN_]*`)

// emittedType writes a type with the emitted names of the notebook's types.
func (e *emission) emittedType(t types.Type) string {
	alias := reservedAliases(e.used)
	text := types.TypeString(t, func(p *types.Package) string {
		if p.Path() == packagePath {
			return ownMark
		}
		return alias(p)
	})
	return ownName.ReplaceAllStringFunc(text, func(s string) string {
		name := s[len(ownMark)+1:]
		return emitted(name, e.versions[name])
	})
}
