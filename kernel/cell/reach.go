package cell

import (
	"go/ast"
	"maps"
	"slices"
)

// need is what a cell needs of earlier ones.
type need struct {
	earlier     []*decl
	earlierVars []*variable
}

// reach finds the declarations and variables of earlier cells that the cell needs.
// redefined are the names that the cell's statements give another meaning.
func (c *Change) reach(redefined map[string]bool) need {
	r := &reacher{Change: c, redefined: redefined, own: map[*decl]bool{}, seen: map[string]bool{}}
	p := c.parsed
	var fresh []*decl
	for _, list := range [][]*decl{p.decls, c.vars, p.once} {
		fresh = append(fresh, list...)
	}
	for _, d := range fresh {
		r.own[d] = true
	}
	for _, d := range fresh {
		r.names(d.uses)
		for _, name := range d.names {
			r.name(name)
		}
		if d.base != "" {
			r.name(d.base)
		}
	}
	for _, s := range p.body {
		r.names(uses(s))
	}
	if p.cell.Call != "" {
		r.name(p.cell.Call)
	}
	for _, name := range slices.Sorted(maps.Keys(c.after.vars)) { // those that move to a type with other methods
		if hits(ownTypes(c.after.vars[name].typ), c.methods) {
			r.name(name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.methods)) { // whose values there may be elsewhere
		if c.supersedes(name) {
			r.name(name)
		}
	}
	for _, t := range c.instances() {
		r.names(ownTypes(t))
	}
	return r.need
}

type reacher struct {
	*Change
	need
	redefined map[string]bool
	own       map[*decl]bool // the cell's
	seen      map[string]bool
}

func (r *reacher) names(names map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(names)) {
		r.name(name)
	}
}

func (r *reacher) name(name string) {
	if r.seen[name] {
		return
	}
	r.seen[name] = true
	d := r.after.owners[name]
	if d == nil && r.redefined[name] {
		d = r.before.owners[name] // what a := takes the name of, but still reads
	}
	if d != nil {
		r.include(d)
		if d.kind == typeDecl {
			for _, m := range r.after.methods(name) {
				r.include(m)
			}
		}
	}
	if v := r.after.vars[name]; v != nil && !r.initialised(name) {
		r.earlierVars = append(r.earlierVars, v)
		r.names(ownTypes(v.typ))
	}
}

func (r *reacher) include(d *decl) {
	if !r.own[d] && !slices.Contains(r.earlier, d) {
		r.earlier = append(r.earlier, d)
	}
	r.names(d.uses)
}

// initialised says whether a declaration of the cell gives a variable its value.
func (c *Change) initialised(name string) bool {
	return slices.ContainsFunc(c.vars, func(d *decl) bool { return slices.Contains(d.names, name) })
}

// outermost are the statements that are not within others, without their labels.
func (p *Parsed) outermost() []ast.Stmt {
	list := slices.Clone(p.body)
	for i := range list {
		for l, ok := list[i].(*ast.LabeledStmt); ok; l, ok = list[i].(*ast.LabeledStmt) {
			list[i] = l.Stmt
		}
	}
	return list
}

// defined are the names that the cell's outermost statements define, which live on.
func (p *Parsed) defined() []*ast.Ident {
	if p.cell.HasMain {
		return nil
	}
	var list []*ast.Ident
	for _, s := range p.outermost() {
		list = append(list, definedBy(s)...)
	}
	return list
}

func definedBy(s ast.Stmt) (list []*ast.Ident) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		if s.Tok.String() == ":=" {
			for _, e := range s.Lhs {
				if id, ok := e.(*ast.Ident); ok {
					list = append(list, id)
				}
			}
		}
	case *ast.DeclStmt:
		for _, spec := range genDecl(s).Specs {
			if v, ok := spec.(*ast.ValueSpec); ok {
				list = append(list, v.Names...)
			}
		}
	}
	return list
}
