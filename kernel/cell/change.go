package cell

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Change is what a cell's declarations change in a notebook.
type Change struct {
	parsed *Parsed
	before State
	after  State // with the cell's declarations in the place of earlier ones

	// Names that mean something else than before, and what depends on them. A type
	// whose layout is the same, but whose methods are others, keeps its values.
	layout, methods, funcs map[string]bool

	vars  []*decl // variables that the cell initialises: its own, and those again
	again []*decl // of them, those of earlier cells whose types have changed
	lost  []string
	notes []string
}

// Against says what the cell changes in a notebook.
func (p *Parsed) Against(s State) *Change {
	c := &Change{parsed: p, before: s, after: s.clone(), layout: map[string]bool{}, methods: map[string]bool{}, funcs: map[string]bool{}}
	for _, d := range p.decls {
		c.replace(d)
	}
	for _, d := range p.vars {
		for _, name := range d.names {
			if o := c.after.owners[name]; o != nil {
				c.displace(o, name)
				c.funcs[name] = true
			}
			if c.after.vars[name] != nil && len(d.embeds) > 0 { // it moves
				c.funcs[name] = true
			}
		}
	}
	c.vars = slices.Clone(p.vars)
	for name := range s.removed {
		if _, used := s.versions[name]; used && !c.layout[name] {
			c.methods[name] = true
		}
	}
	clear(c.after.removed)
	clear(c.after.edited)
	c.propagate()
	c.loseVariables()
	return c
}

// replace puts a declaration in the place of what had its names.
func (c *Change) replace(d *decl) {
	old := c.after.decls[d.key]
	same := old != nil && old.kind == d.kind && old.tokens == d.tokens
	if !same {
		c.mark(d, old)
	}
	if old != nil && !same {
		c.displaceOwn(d, old)
	}
	for _, name := range d.names {
		if o := c.after.owners[name]; o != nil && o.key != d.key {
			c.displace(o, name)
		}
		if c.after.vars[name] != nil {
			delete(c.after.vars, name)
			c.layout[name] = true
		}
	}
	c.after.set(d)
}

// mark notes what a declaration changes that is not the same as before.
func (c *Change) mark(d, old *decl) {
	known := slices.ContainsFunc(d.names, func(name string) bool { _, ok := c.after.versions[name]; return ok })
	switch {
	case d.kind == methodDecl:
		if c.after.owners[d.base] != nil && !c.layout[d.base] && !c.declaredFirst(d.base) {
			c.methods[d.base] = true
		}
	case !known && old == nil:
	case d.kind == funcDecl:
		c.funcs[d.key] = true
	default:
		for _, name := range d.names {
			c.layout[name] = true
		}
	}
}

// declaredFirst says whether the cell declares a type that no cell has declared before.
func (c *Change) declaredFirst(name string) bool {
	_, known := c.before.versions[name]
	return !known && slices.ContainsFunc(c.parsed.decls, func(d *decl) bool { return d.kind == typeDecl && d.key == name })
}

// displaceOwn forgets an earlier declaration of the same key. A type's methods stay.
func (c *Change) displaceOwn(d, old *decl) {
	for _, name := range old.names {
		if !slices.Contains(d.names, name) {
			c.layout[name] = true
			c.notes = append(c.notes, fmt.Sprintf("%s is gone: %s is declared anew without it", name, d.key))
		}
	}
	if old.kind == typeDecl {
		delete(c.after.decls, old.key)
	} else {
		c.after.drop(old)
	}
}

// displace takes a name from the declaration that has it; the other names of a group
// of constants stay as they are.
func (c *Change) displace(o *decl, name string) {
	c.after.drop(o)
	if rest := c.parsed.sources.without(o, name); rest != nil {
		c.after.set(rest)
	}
}

// loseVariables drops variables whose types are no more what they were.
func (c *Change) loseVariables() {
	if len(c.layout) == 0 && len(c.before.edited) == 0 {
		return
	}
	declared := map[string]bool{}
	for _, d := range c.parsed.vars {
		for _, name := range d.names {
			declared[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.after.vars)) {
		v := c.after.vars[name]
		if declared[name] || v == nil {
			continue
		}
		if t := c.before.editedType(v.typ); t != "" {
			c.lose(v, t)
			continue
		}
		for _, t := range slices.Sorted(maps.Keys(ownTypes(v.typ))) {
			if c.layout[t] || c.after.owners[t] == nil {
				c.lose(v, t)
				break
			}
		}
	}
}

// lose drops a variable, and has it initialised again if its declaration says how.
func (c *Change) lose(v *variable, t string) {
	delete(c.after.vars, v.name)
	switch {
	case v.decl == nil:
		c.lost = append(c.lost, v.name)
		c.notes = append(c.notes, fmt.Sprintf("%s is gone, since type %s has changed", v.name, t))
	case !slices.Contains(c.vars, v.decl):
		c.vars, c.again = append(c.vars, v.decl), append(c.again, v.decl)
		c.notes = append(c.notes, againNote(v.decl, t))
	}
}

func againNote(d *decl, t string) string {
	return fmt.Sprintf("%s is initialised again, since type %s has changed", strings.Join(d.names, ", "), t)
}

// propagate carries changes to what depends on them.
func (c *Change) propagate() {
	for again := len(c.layout)+len(c.methods)+len(c.funcs)+len(c.before.edited) > 0; again; {
		again = false
		for _, d := range c.after.decls {
			again = c.affect(d) || again
		}
	}
}

// affect marks a declaration that depends on what has changed, and says whether that
// is new.
func (c *Change) affect(d *decl) (more bool) {
	name := d.key
	if d.base != "" {
		name = d.base
	}
	if _, used := c.after.versions[name]; !used {
		return false
	}
	mark := func(set map[string]bool, names ...string) {
		for _, name := range names {
			if !set[name] {
				set[name], more = true, true
			}
		}
	}
	layout := hits(d.uses, c.layout) || c.before.importsEdited(d)
	other := layout || hits(d.uses, c.methods) || hits(d.uses, c.funcs)
	switch {
	case d.kind == constDecl && layout, d.kind == typeDecl && layout:
		mark(c.layout, d.names...)
	case d.kind == typeDecl && other:
		mark(c.methods, d.names...)
	case d.kind == funcDecl && other:
		mark(c.funcs, d.key)
	case d.kind == methodDecl && other && !c.layout[d.base]:
		mark(c.methods, d.base)
	}
	return more
}

func hits(names, set map[string]bool) bool {
	for name, in := range set {
		if in && names[name] {
			return true
		}
	}
	return false
}

// without returns the change without declarations that do not fit a type that has
// changed: methods, and initial values of earlier cells.
func (c *Change) without(broken []*decl) *Change {
	next := *c
	next.after = c.after.clone()
	next.vars, next.again = slices.Clone(c.vars), slices.Clone(c.again)
	next.lost, next.notes = slices.Clone(c.lost), slices.Clone(c.notes)
	for _, d := range broken {
		if d.kind == methodDecl {
			next.after.drop(d)
			next.notes = append(next.notes, fmt.Sprintf("%s is gone: it does not fit the new %s", d.key, d.base))
			continue
		}
		isIt := func(v *decl) bool { return v == d }
		next.vars, next.again = slices.DeleteFunc(next.vars, isIt), slices.DeleteFunc(next.again, isIt)
		names := strings.Join(d.names, ", ")
		next.notes = slices.DeleteFunc(next.notes, func(n string) bool { return strings.HasPrefix(n, names+" is initialised again") })
		next.notes = append(next.notes, fmt.Sprintf("%s is gone: its initial value does not fit the changed type", names))
		next.lost = append(next.lost, d.names...)
	}
	return &next
}
