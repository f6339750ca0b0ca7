package cell

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// change finds out what the cell's declarations change.
func (c *composition) change() {
	c.layout, c.methods, c.funcs = map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, d := range c.fresh {
		old := c.next.decls[d.key]
		same := old != nil && old.text == d.text && old.kind == d.kind
		if !same {
			_, known := c.next.versions[d.key]
			switch {
			case d.kind == methodDecl:
				if base := c.next.owners[d.base]; base != nil && !c.layout[d.base] && !freshly(c.fresh, d.base, c.next) {
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
		if old != nil && !same && d.kind == typeDecl {
			// Its methods stay.
			delete(c.next.decls, d.key)
		} else if old != nil && !same {
			c.next.drop(old)
		}
		for _, name := range d.names {
			if o := c.next.owners[name]; o != nil && o.key != d.key {
				c.next.drop(o)
				for _, other := range o.names {
					if other != name && !slices.Contains(d.names, other) {
						c.layout[other] = true
						c.notes = append(c.notes, fmt.Sprintf("%s is gone, since %s of its group is declared anew", other, name))
					}
				}
			}
			if v := c.next.vars[name]; v != nil {
				delete(c.next.vars, name)
				c.layout[name] = true
			}
		}
		c.next.decls[d.key] = d
		for _, name := range d.names {
			c.next.owners[name] = d
		}
	}
	for _, d := range c.freshVars {
		for _, name := range d.names {
			if o := c.next.owners[name]; o != nil {
				c.next.drop(o)
				c.funcs[name] = true
			}
		}
	}
	c.propagate()
	redeclared := map[string]bool{}
	for _, d := range c.freshVars {
		for _, name := range d.names {
			redeclared[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.next.vars)) {
		v := c.next.vars[name]
		if redeclared[name] || c.next.vars[name] == nil {
			continue
		}
		for t := range sessionTypes(v.typ) {
			if c.layout[t] || c.next.owners[t] == nil {
				c.lose(v, t)
				break
			}
		}
	}
}

// freshly says whether the type is declared in this cell and was not before.
func freshly(fresh []*decl, name string, s state) bool {
	for _, d := range fresh {
		if d.kind == typeDecl && d.key == name {
			_, known := s.versions[name]
			return !known
		}
	}
	return false
}

// lose drops a variable whose type is no more what it was.
func (c *composition) lose(v *variable, t string) {
	delete(c.next.vars, v.name)
	if v.decl != nil {
		for _, d := range c.freshVars {
			if d == v.decl {
				return
			}
		}
		c.freshVars = append(c.freshVars, v.decl)
		c.again = append(c.again, v.decl)
		c.notes = append(c.notes, fmt.Sprintf("%s is initialised again, since type %s has changed", strings.Join(v.decl.names, ", "), t))
		return
	}
	c.lost = append(c.lost, v.name)
	c.notes = append(c.notes, fmt.Sprintf("%s is gone, since type %s has changed", v.name, t))
}

// propagate carries changes to what depends on them.
func (c *composition) propagate() {
	hits := func(uses map[string]bool, sets ...map[string]bool) bool {
		for name := range uses {
			for _, s := range sets {
				if s[name] {
					return true
				}
			}
		}
		return false
	}
	for again := true; again; {
		again = false
		mark := func(s map[string]bool, names ...string) {
			for _, name := range names {
				if !s[name] {
					s[name], again = true, true
				}
			}
		}
		for key, d := range c.next.decls {
			if _, used := c.next.versions[cutMethod(key)]; !used {
				continue
			}
			switch d.kind {
			case typeDecl, constDecl:
				if hits(d.uses, c.layout) {
					mark(c.layout, d.names...)
				} else if hits(d.uses, c.methods, c.funcs) && d.kind == typeDecl {
					mark(c.methods, d.names...)
				}
			case funcDecl:
				if hits(d.uses, c.layout, c.methods, c.funcs) {
					mark(c.funcs, d.key)
				}
			case methodDecl:
				if !c.layout[d.base] && hits(d.uses, c.layout, c.methods, c.funcs) {
					mark(c.methods, d.base)
				}
			}
		}
	}
}

func cutMethod(key string) string {
	name, _, _ := strings.Cut(key, ".")
	return name
}
