package cell

import (
	"fmt"
	"go/scanner"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// Context is what a cell sees of the notebook, for questions about code that is being
// written. It does not change.
type Context struct {
	state   State
	sources *sources
}

// Context returns what a cell sees now.
func (n *Notebook) Context() *Context { return &Context{n.state, n.sources} }

// Variables are the names of the session variables, sorted.
func (c *Context) Variables() []string { return slices.Sorted(maps.Keys(c.state.vars)) }

// Declared are the names of variables and declarations.
func (c *Context) Declared() []string {
	names := c.Variables()
	for key, d := range c.state.decls {
		names = append(names, key)
		names = append(names, d.names...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Document puts a cell's code, which may be in the middle of being written, into a Go
// file, and says where an offset in the code is in the file. It is the tolerant twin of
// what a cell is checked as: types and functions first, the statements as a function.
func (c *Context) Document(code string, offset int, packages Packages) (file string, at int) {
	d := document{text: code, offset: offset, at: -1}
	draft := c.read(code)
	state := c.state.clone()

	var body strings.Builder
	for _, key := range slices.Sorted(maps.Keys(state.decls)) {
		if decl := state.decls[key]; !draft.declares(decl) {
			body.WriteString(c.sources.textOf(decl) + "\n\n")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(state.vars)) {
		if !draft.names[name] {
			fmt.Fprintf(&body, "var %s %s\n\n", name, typeText(state.vars[name].typ, func(p *types.Package) string { return state.alias(ImportPath(p), p.Name()) }))
		}
	}
	d.b.WriteString("package main\n\n")
	for _, path := range slices.Sorted(maps.Keys(state.aliases)) {
		fmt.Fprintf(&d.b, "import %s %q\n", state.aliases[path], path)
	}
	imports := c.guess(code, draft, packages)
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		fmt.Fprintf(&d.b, "import %s %q\n", name, imports[name])
	}
	for _, path := range state.dots {
		fmt.Fprintf(&d.b, "import . %q\n", path)
	}
	d.write(draft.imports)
	d.b.WriteString(body.String())
	d.write(draft.outside)
	d.b.WriteString("func main() {\n")
	d.writeRest(append(draft.imports, draft.outside...))
	d.b.WriteString("\n}\n")
	return d.b.String(), d.at
}

// draft is a cell as far as it can be understood.
type draft struct {
	imports []region
	outside []region // what goes before main: functions, types, constants
	names   map[string]bool
}

func (d draft) declares(decl *decl) bool {
	return d.names[decl.key] || slices.ContainsFunc(decl.names, func(n string) bool { return d.names[n] })
}

func (c *Context) read(code string) draft {
	d := draft{names: declaredNames(code)}
	r := reader{Parsed: &Parsed{sources: newSources(), unit: &unit{text: code, at: at0(0)}, cell: Cell{Text: code}}}
	regions := outline(code, func(int, string) {})
	for _, g := range regions {
		switch g.part {
		case importPart, packagePart:
			d.imports = append(d.imports, g)
		case funcPart:
			d.outside = append(d.outside, g)
		}
	}
	for _, s := range r.readBody(only(code, regions, bodyPart)) {
		if g := genDecl(s); g != nil && g.Tok != token.VAR {
			_, from := r.sources.place(g.Pos())
			_, to := r.sources.place(g.End())
			if 0 <= from && from < to && to <= len(code) {
				d.outside = append(d.outside, region{funcPart, from, to})
			}
		}
	}
	slices.SortFunc(d.outside, func(a, b region) int { return a.start - b.start })
	return d
}

// declaredNames are the keys and names of what source declares at package level.
func declaredNames(text string) map[string]bool {
	r := reader{Parsed: &Parsed{sources: newSources(), unit: &unit{text: text, at: at0(0)}, cell: Cell{Text: text}}}
	r.read()
	names := map[string]bool{}
	for _, list := range [][]*decl{r.decls, r.vars} {
		for _, d := range list {
			names[d.key] = true
			for _, n := range d.names {
				names[n] = true
			}
		}
	}
	return names
}

// guess finds the packages whose names stand before a dot.
func (c *Context) guess(code string, d draft, packages Packages) map[string]string {
	imports := maps.Clone(c.state.imports)
	f := newFinder(packages)
	for name, selectors := range qualified(code) {
		if imports[name] == "" && !d.names[name] && c.state.owners[name] == nil && c.state.vars[name] == nil {
			if path := f.find(name, selectors); path != "" {
				imports[name] = path
			}
		}
	}
	return imports
}

// qualified are the names that stand before a dot and are not behind one, with the
// names that follow. The last of these may not be whole yet, so it does not count.
func qualified(code string) map[string]map[string]bool {
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", fset.Base(), len(code)), []byte(code), nil, 0)
	found := map[string]map[string]bool{}
	var before, last, dot string
	var prev token.Token
	for {
		_, tok, lit := s.Scan()
		if tok == token.EOF {
			return found
		}
		switch {
		case tok == token.PERIOD && prev == token.IDENT && before != ".":
			dot = last
			if found[dot] == nil {
				found[dot] = map[string]bool{}
			}
		case tok != token.IDENT && prev == token.IDENT && before == "." && dot != "" && tok != token.SEMICOLON:
			found[dot][last] = true
			dot = ""
		}
		if tok == token.IDENT {
			before, last = prev.String(), lit
		}
		prev = tok
	}
}

// document is a file that is written around a cell.
type document struct {
	b          strings.Builder
	text       string
	offset, at int
}

// write writes parts of the cell, each on lines of its own.
func (d *document) write(parts []region) {
	for _, p := range parts {
		if d.isIn(p) && d.at < 0 {
			d.at = d.b.Len() + d.offset - p.start
		}
		if text := d.text[p.start:p.end]; p.part != packagePart {
			d.b.WriteString(text + "\n")
		}
	}
}

// isIn says whether the offset is in a part. Where one begins, it is not if it is the end
// of a word before.
func (d *document) isIn(p region) bool {
	if d.offset == p.start && d.offset > 0 {
		return strings.ContainsRune(" \t\n;", rune(d.text[d.offset-1]))
	}
	return p.start <= d.offset && d.offset <= p.end
}

// writeRest writes what is left of the cell, with blanks in the place of the parts.
func (d *document) writeRest(parts []region) {
	out := []byte(d.text)
	for _, p := range parts {
		for i := p.start; i < p.end; i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	if d.at < 0 {
		d.at = d.b.Len() + d.offset
	}
	d.b.Write(out)
}
