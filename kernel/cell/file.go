package cell

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
)

// reach finds the declarations and variables that the cell needs.
func (c *composition) reach() {
	c.live, c.liveVar = nil, nil
	seen, own := map[string]bool{}, map[string]bool{}
	for _, d := range append(append(slices.Clone(c.fresh), c.freshVars...), c.oneShot...) {
		own[d.key] = true
	}
	var visit func(name string)
	all := func(names map[string]bool) {
		for _, name := range slices.Sorted(maps.Keys(names)) {
			visit(name)
		}
	}
	include := func(d *decl) {
		if !own[d.key] && !slices.Contains(c.live, d) {
			c.live = append(c.live, d)
		}
		all(d.uses)
	}
	redeclared := func(name string) bool {
		for _, d := range c.freshVars {
			if slices.Contains(d.names, name) {
				return true
			}
		}
		return false
	}
	visit = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		d := c.next.owners[name]
		if old := c.notebook.owners[name]; d == nil && old != nil && c.localNames()[name] {
			d = old // what a := takes the name of, but still reads
		}
		if d != nil {
			include(d)
			if d.kind == typeDecl {
				for _, key := range slices.Sorted(maps.Keys(c.next.decls)) {
					if m := c.next.decls[key]; m.base == name {
						include(m)
					}
				}
			}
		}
		v := c.next.vars[name]
		if old := c.notebook.vars[name]; v != nil && c.localNames()[name] {
			v = old // the right side of := sees the variable as it was
		}
		if v != nil && !redeclared(name) {
			c.liveVar = append(c.liveVar, v)
			all(sessionTypes(v.typ))
		}
	}
	for _, d := range append(append(slices.Clone(c.fresh), c.freshVars...), c.oneShot...) {
		all(d.uses)
		for _, name := range d.names {
			visit(name)
		}
		if d.base != "" {
			visit(d.base)
		}
	}
	for _, s := range c.statements {
		all(usesIn(s.text))
	}
	if c.in.Call != "" {
		visit(c.in.Call)
	}
	for name, v := range c.next.vars { // those to carry over
		for t := range sessionTypes(v.typ) {
			if c.methods[t] {
				visit(name)
			}
		}
	}
}

// write writes the file to check.
func (c *composition) write() {
	var body strings.Builder
	c.pieces = nil
	lineOf := func(cell, line int) { fmt.Fprintf(&body, "//line cell[%d]:%d:1\n", cell, line) }
	add := func(d *decl) {
		lineOf(d.cell, d.line)
		start := body.Len()
		body.WriteString(d.text)
		c.pieces = append(c.pieces, piece{d, start, body.Len(), d.cell, d.line})
		body.WriteString("\n")
	}
	reserved := map[string]string{}
	alias := reservedAliases(reserved)
	for _, d := range c.live {
		add(d)
	}
	for _, d := range c.fresh {
		add(d)
	}
	body.WriteString("//line gradbook:1:1\n")
	for _, v := range c.liveVar {
		if !c.hoistUp[v.name] {
			fmt.Fprintf(&body, "var %s %s\n", v.name, typeText(v.typ, alias))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.hoistUp)) {
		if t := c.hoisted(name); t != nil {
			fmt.Fprintf(&body, "var %s %s\n", name, typeText(t, alias))
		}
	}
	for _, d := range c.freshVars {
		add(d)
	}
	for _, d := range c.oneShot {
		add(d)
	}
	body.WriteString("//line gradbook:1:1\nfunc runʹ() {\n")
	for i, s := range c.statements {
		lineOf(s.cell, s.line)
		text := s.text
		start := body.Len()
		if c.show && i == len(c.statements)-1 && isExpression(text) {
			code, comment := cutComment(text)
			body.WriteString(runtimeName + ".Show(")
			start = body.Len()
			body.WriteString(code)
			text = ") " + comment
			c.pieces = append(c.pieces, piece{nil, start - len(runtimeName+".Show("), start + len(code) + 1, s.cell, s.line})
			body.WriteString(text + "\n")
			continue
		}
		body.WriteString(text)
		c.pieces = append(c.pieces, piece{nil, start, body.Len(), s.cell, s.line})
		body.WriteString("\n")
	}
	if c.in.Call != "" {
		fmt.Fprintf(&body, "//line cell[%d]:1:1\n%s()\n", c.in.Number, c.in.Call)
	}
	body.WriteString("//line gradbook:1:1\n}\n")
	c.imports = c.resolve(body.String())
	for path, name := range reserved {
		c.imports[name] = path
	}
	var head strings.Builder
	head.WriteString("package main\n")
	for _, name := range slices.Sorted(maps.Keys(c.imports)) {
		fmt.Fprintf(&head, "import %s %q\n", name, c.imports[name])
	}
	for _, path := range c.next.dots {
		fmt.Fprintf(&head, "import . %q\n", path)
	}
	c.text = head.String() + body.String()
	for i := range c.pieces {
		c.pieces[i].start += head.Len()
		c.pieces[i].end += head.Len()
	}
}

// cutComment cuts a comment off the end of an expression.
func cutComment(text string) (code, comment string) {
	e, err := parser.ParseExpr(text)
	if err != nil {
		return text, ""
	}
	return text[:int(e.End())-1], text[int(e.End())-1:]
}

func isExpression(text string) bool {
	_, err := parser.ParseExpr(text)
	if err != nil {
		return false
	}
	f, err := parser.ParseFile(token.NewFileSet(), "", "package main;func _(){\n"+text+"\n}", parser.SkipObjectResolution)
	if err != nil {
		return false
	}
	body := f.Decls[0].(*ast.FuncDecl).Body.List
	if len(body) != 1 {
		return false
	}
	s, ok := body[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	u, ok := s.X.(*ast.UnaryExpr)
	return !ok || u.Op != token.ARROW
}

// resolve finds the packages of names that nothing declares.
func (c *composition) resolve(body string) map[string]string {
	imports := map[string]string{runtimeName: runtimePath}
	f, _ := parser.ParseFile(token.NewFileSet(), "", "package main\n"+body, 0)
	if f == nil {
		return imports
	}
	unresolved := map[*ast.Ident]bool{}
	for _, id := range f.Unresolved {
		unresolved[id] = true
	}
	selectors := map[string]map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && unresolved[x] {
				if selectors[x.Name] == nil {
					selectors[x.Name] = map[string]bool{}
				}
				selectors[x.Name][s.Sel.Name] = true
			}
		}
		return true
	})
	for name, sels := range selectors {
		if path, ok := c.next.imports[name]; ok {
			imports[name] = path
		} else if path := c.find(name, sels); path != "" && imports[name] == "" {
			imports[name] = path
		}
	}
	return imports
}

// rank orders the packages of one name: Gradbook's first, and math/rand/v2 before
// math/rand, or a declaration that says rand.Rand only would mean the older.
func rank(path string) int {
	switch {
	case strings.HasPrefix(path, "github.com/gradbook/gradbook/"):
		return 0
	case !strings.Contains(path, "."):
		if path == "html/template" || path == "math/rand" || path == "crypto/rand" || strings.HasPrefix(path, "testing/") {
			return 2
		}
		return 1
	}
	return 3
}

// find returns the package of that name that exports all of the selectors.
func (c *composition) find(name string, selectors map[string]bool) string {
	var candidates []string
	for path, n := range c.notebook.packages.Names() {
		if n == name && !strings.Contains(path, "/kernel/") {
			candidates = append(candidates, path)
		}
	}
	slices.SortFunc(candidates, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		if d := len(a) - len(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, path := range candidates {
		p, err := c.notebook.packages.Import(path)
		if err != nil {
			continue
		}
		all := true
		for s := range selectors {
			all = all && p.Scope().Lookup(s) != nil
		}
		if all {
			return path
		}
	}
	if len(candidates) > 0 {
		return candidates[0]
	}
	return ""
}
