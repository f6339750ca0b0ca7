package cell

import (
	"errors"
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Notebook is the source of all cells that have run.
type Notebook struct {
	sources *sources
	state   State
	built   map[string]int // libraries by what was compiled
	next    int
}

// New returns an empty notebook.
func New() *Notebook {
	return &Notebook{sources: newSources(), state: NewState(), built: map[string]int{}}
}

// Output is a composed cell.
type Output struct {
	// N is the number of its library. Build is false if that is built already.
	N     int
	Build bool
	// Source is the file to compile.
	Source []byte
	// Notes tell of values that are lost or made anew.
	Notes []string
	// Embeds are the patterns of its go:embed directives.
	Embeds []string

	commit func()
}

// Commit makes the cell's declarations those of the notebook. It is called when the
// cell has been built.
func (o *Output) Commit() { o.commit() }

// ErrGoNB is returned for a cell that uses packages by which GoNB's programs talk with a
// page. Their functions wait for GoNB, which does not run the session.
var ErrGoNB = errors.New("the cell uses GoNB's own widgets, comms or dom, which only its programs can")

// Compose checks a cell and writes the file to compile. The notebook does not change
// until the output is committed.
func (n *Notebook) Compose(packages Packages, c Cell) (*Output, error) {
	parsed, err := parse(n.sources, c)
	if err != nil {
		return nil, err
	}
	checked, err := parsed.Against(n.state).Check(packages)
	if err != nil {
		return nil, err
	}
	if checked.usesGoNB() {
		return nil, ErrGoNB
	}
	file, next := checked.Emit()
	out := &Output{N: n.next + 1, Build: true, Notes: file.Notes, Embeds: file.Embeds}
	if built, ok := n.built[file.Key()]; ok && len(file.Embeds) == 0 { // whose files may be others
		out.N, out.Build = built, false
	}
	out.Source = file.Source(out.N, c.Number)
	out.commit = func() {
		n.state = next
		n.built[file.Key()] = out.N
		n.next = max(n.next, out.N)
	}
	return out, nil
}

// usesGoNB says whether the cell's own code calls what ErrGoNB speaks of.
func (k *Checked) usesGoNB() bool {
	for id, obj := range k.info.Uses {
		p, ok := obj.(*types.PkgName)
		if !ok {
			continue
		}
		name, ok := strings.CutPrefix(p.Imported().Path(), "github.com/janpfeifer/gonb/gonbui/")
		if u, _ := k.parsed.sources.place(id.Pos()); ok && u == k.parsed.unit && slices.Contains([]string{"widgets", "comms", "dom", "wasm"}, name) {
			return true
		}
	}
	return false
}

// Reset forgets everything.
func (n *Notebook) Reset() {
	n.state, n.sources, n.built = NewState(), newSources(), map[string]int{}
}

// Lose forgets the variables, as when the session has died, but not the declarations.
// It returns their names.
func (n *Notebook) Lose() []string {
	names := n.Variables()
	n.state = n.state.clone()
	clear(n.state.vars)
	clear(n.state.values)
	clear(n.state.instances)
	n.built = map[string]int{}
	return names
}

// Variables returns the names of the session variables, sorted.
func (n *Notebook) Variables() []string { return n.Context().Variables() }

// Remove forgets a declaration or a variable by name, or a method as T.m, and says
// whether there was one.
func (n *Notebook) Remove(name string) bool {
	s := n.state.clone()
	d, found := s.owners[name]
	if !found {
		d, found = s.decls[name]
	}
	if found {
		if d.kind == methodDecl {
			s.removed[d.base] = true
		}
		s.drop(d)
		if rest := n.sources.without(d, name); rest != nil {
			s.set(rest)
		}
	}
	if _, ok := s.vars[name]; ok {
		found = true
		delete(s.vars, name)
	}
	n.state = s
	return found
}

// Declarations returns the keys of what is declared, by kind.
func (n *Notebook) Declarations() map[string][]string {
	out := map[string][]string{}
	kinds := map[kind]string{constDecl: "constants", typeDecl: "types", funcDecl: "functions", methodDecl: "methods"}
	for key, d := range n.state.decls {
		if d.kind == constDecl {
			out[kinds[d.kind]] = append(out[kinds[d.kind]], d.names...)
		} else {
			out[kinds[d.kind]] = append(out[kinds[d.kind]], key)
		}
	}
	if len(n.state.vars) > 0 {
		out["variables"] = n.Variables()
	}
	for name, path := range n.state.imports {
		out["imports"] = append(out["imports"], name+" "+strconv.Quote(path))
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out
}

// Program returns all declarations but those that a cell makes itself, as GoNB's
// programs see them: imports, and the rest of a file. Variables have their types, but
// not their values.
func (n *Notebook) Program(c Cell) (imports []string, rest string) {
	own := declaredNames(c.Text)
	s := n.state.clone()
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(s.decls)) {
		if !own[key] {
			b.WriteString(n.sources.textOf(s.decls[key]) + "\n\n")
		}
	}
	for _, name := range n.Variables() {
		if !own[name] && !reserved(name) {
			fmt.Fprintf(&b, "var %s %s\n", name, typeText(s.vars[name].typ, func(p *types.Package) string { return s.alias(ImportPath(p), p.Name()) }))
		}
	}
	if b.Len() == 0 {
		return nil, ""
	}
	for _, path := range slices.Sorted(maps.Keys(s.aliases)) {
		if name := s.aliases[path]; strings.Contains(b.String(), name+".") {
			imports = append(imports, fmt.Sprintf("import %s %q", name, path))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.imports)) {
		imports = append(imports, fmt.Sprintf("import %s %q", name, s.imports[name]))
	}
	for _, path := range s.dots {
		imports = append(imports, fmt.Sprintf("import . %q", path))
	}
	return imports, b.String()
}
