package cell

import (
	"go/types"
	"maps"
	"slices"
	"strings"
)

// supersedes says whether there may be values of a type that has got other methods.
func (c *Change) supersedes(name string) bool {
	d := c.after.owners[name]
	return d != nil && d.kind == typeDecl && c.before.values[name] && !c.layout[name]
}

// instances are those of generic types that consist of types with other methods, and can
// still be named.
func (c *Change) instances() (list []types.Type) {
	changed := map[string]bool{}
	for name := range c.methods {
		changed[name] = c.supersedes(name)
	}
	gone := func(names map[string]bool) bool {
		for name := range names {
			if c.layout[name] || c.after.owners[name] == nil {
				return true
			}
		}
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(c.before.instances)) {
		for _, t := range c.before.instances[name] {
			own := ownTypes(t)
			if hits(own, changed) && !gone(own) {
				list = append(list, t)
			}
		}
	}
	return list
}

// keepInstances notes which instances of generic types there are.
func (e *emission) keepInstances() {
	for name, list := range e.next.instances {
		e.next.instances[name] = slices.DeleteFunc(slices.Clone(list), func(t types.Type) bool { return hits(ownTypes(t), e.layout) })
	}
	known := map[string]bool{}
	for _, list := range e.next.instances {
		for _, t := range list {
			known[fullText(t)] = true
		}
	}
	for _, i := range e.info.Instances {
		t, ok := i.Type.(*types.Named)
		if !ok || t.Obj().Pkg() != e.pkg || !keepable(t, e.pkg.Scope()) || known[fullText(t)] {
			continue
		}
		known[fullText(t)] = true
		e.next.instances[t.Obj().Name()] = append(e.next.instances[t.Obj().Name()], t)
	}
	for _, list := range e.next.instances { // the same cells make the same file
		slices.SortFunc(list, func(a, b types.Type) int {
			return strings.Compare(fullText(a), fullText(b))
		})
	}
}
