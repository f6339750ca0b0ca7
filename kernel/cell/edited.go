package cell

import (
	"go/types"
	"strings"
)

// A package of a module that a person edits is compiled anew when it has been edited, as
// another package: what is loaded cannot be unloaded. Its path is the old one with a version
// behind it, and its types are others, even if they read the same. So what a notebook says
// by its names means something else, as if a type of the notebook's own had changed.

// VersionSign stands between the path of a package that has been edited and its version: a
// last element that no module has, of signs that linkers take for nothing else.
const VersionSign = "/~"

// ImportPath is the path by which a cell imports a package.
func ImportPath(p *types.Package) string {
	path := p.Path()
	at := strings.LastIndex(path, VersionSign)
	if at < 0 || strings.Trim(path[at+len(VersionSign):], "0123456789") != "" {
		return path
	}
	return path[:at]
}

// Edited has the next cell know that packages are others than before.
func (n *Notebook) Edited(paths []string) {
	n.state = n.state.clone()
	for _, path := range paths {
		n.state.edited[path] = true
	}
	n.built = map[string]int{}
}

// importsEdited says whether a declaration mentions a package that is another.
func (s State) importsEdited(d *decl) bool {
	for _, path := range d.packages {
		if s.edited[path] {
			return true
		}
	}
	return false
}

// editedType is a type in t of a package that is another; "" if there is none.
func (s State) editedType(t types.Type) (name string) {
	if len(s.edited) == 0 {
		return ""
	}
	walk(t, func(t types.Type) bool {
		if o := typeName(t); o != nil && o.Pkg() != nil && s.edited[ImportPath(o.Pkg())] {
			name = o.Pkg().Name() + "." + o.Name()
		}
		return name == ""
	})
	return name
}
