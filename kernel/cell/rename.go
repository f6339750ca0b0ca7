package cell

import (
	"go/ast"
	"go/types"
	"maps"
	"slices"
)

// rename finds the identifiers that are compiled under another name.
func (e *emission) rename() {
	for id, obj := range e.info.Uses {
		if p, ok := obj.(*types.PkgName); ok && !e.consumed[id] {
			path := ImportPath(p.Imported())
			e.edit(id.Pos(), id.End(), e.next.alias(path, p.Imported().Name()), path)
		} else if !ok {
			e.renameOne(id, obj)
		}
	}
	for id, obj := range e.info.Defs {
		if _, ok := obj.(*types.PkgName); !ok && obj != nil {
			e.renameOne(id, obj)
		}
	}
}

func (e *emission) renameOne(id *ast.Ident, obj types.Object) {
	if name := e.nameOf(obj); name != "" && name != id.Name {
		e.replace(id.Pos(), id.End(), name)
	}
}

// nameOf is the name of an object in the compiled file; "" if it keeps its own.
func (e *emission) nameOf(obj types.Object) string {
	if name, ok := e.names[obj]; ok {
		return name
	}
	if obj.Pkg() != e.pkg {
		return ""
	}
	v, isVar := obj.(*types.Var)
	switch {
	case isVar && v.IsField():
		return e.fieldName(v.Origin())
	case isVar && e.isScoped(v):
		return e.scoped[v.Name()].ref()
	case obj.Parent() != e.pkg.Scope():
		return ""
	case isVar:
		return e.refs[obj.Name()]
	}
	if e.next.owners[obj.Name()] == nil { // a := has taken its name
		return emitted(obj.Name(), e.before.versions[obj.Name()])
	}
	return emitted(obj.Name(), e.next.versions[obj.Name()])
}

// isScoped says whether a variable is one that the statements' function gets.
func (e *emission) isScoped(v *types.Var) bool {
	if e.scoped[v.Name()] == nil {
		return false
	}
	f, ok := e.info.Defs[e.run.Name].(*types.Func)
	if !ok {
		return false
	}
	for p := range f.Signature().Params().Variables() {
		if p == v {
			return true
		}
	}
	return false
}

// fieldName is that of an embedded field, which is its type's.
func (e *emission) fieldName(v *types.Var) string {
	if !v.Embedded() {
		return ""
	}
	t := v.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	o := typeName(t)
	if o == nil || o.Pkg() != e.pkg {
		return ""
	}
	return e.nameOf(o)
}

// localTypes gives types that are declared in functions names of their own, since they
// are told apart by their names alone. A function that is compiled again keeps them.
func (e *emission) localTypes() {
	for _, key := range slices.Sorted(maps.Keys(e.next.decls)) {
		if d := e.next.decls[key]; len(d.locals) > 0 && e.isRaised(d) && !slices.Contains(e.parsed.decls, d) {
			anew := *d
			anew.locals = make([]int, len(d.locals))
			for i := range anew.locals {
				e.next.locals++
				anew.locals[i] = e.next.locals
			}
			e.next.set(&anew)
		}
	}
	for _, d := range e.earlier {
		numbers := d.locals
		if now := e.next.decls[d.key]; now != nil && now.node == d.node {
			numbers = now.locals
		}
		e.nameLocals(d.node, numbers)
	}
	for _, d := range e.parsed.decls {
		old := e.before.decls[d.key]
		if old != nil && old.tokens == d.tokens && len(old.locals) > 0 && !e.isRaised(d) {
			e.locals[d] = e.nameLocals(d.node, old.locals)
		} else {
			e.locals[d] = e.nameLocals(d.node, nil)
		}
	}
	for _, d := range e.vars {
		e.nameLocals(d.node, nil)
	}
	for _, d := range e.parsed.once {
		e.nameLocals(d.node, nil)
	}
	for _, s := range e.parsed.body {
		e.nameLocals(s, nil)
	}
}

// isRaised says whether a declaration is compiled under another name than before.
func (e *emission) isRaised(d *decl) bool {
	name := d.key
	if d.base != "" {
		name = d.base
	}
	v, ok := e.before.versions[name]
	return !ok || e.next.versions[name] != v
}

// nameLocals names the types that are declared within a node: as they were named
// before or, without numbers, anew.
func (e *emission) nameLocals(n ast.Node, numbers []int) (given []int) {
	ast.Inspect(n, func(n ast.Node) bool {
		s, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		obj := e.info.Defs[s.Name]
		if obj == nil || obj.Parent() == e.pkg.Scope() || s.Assign.IsValid() {
			return true
		}
		var number int
		if len(given) < len(numbers) {
			number = numbers[len(given)]
		} else {
			e.next.locals++
			number = e.next.locals
		}
		given = append(given, number)
		e.names[obj] = s.Name.Name + "ʹ" + itoa(number)
		return true
	})
	return given
}
