package programs

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// A way cuts a program into cells, as a person might type it. It says why if it cannot.
type way struct {
	name string
	cut  func(p program) (cells []string, why string)
}

var ways = []way{
	{"whole", func(p program) ([]string, string) { return []string{string(p.source)}, "" }},
	{"bare", bare},
	{"declarations", func(p program) ([]string, string) { return newCutter(p).cells(keepMain) }},
	{"statements", func(p program) ([]string, string) { return newCutter(p).cells(bodyOfMain) }},
	{"each", func(p program) ([]string, string) { return newCutter(p).cells(eachOfMain) }},
}

// bare leaves out the package clause and the imports that a notebook finds by itself.
func bare(p program) ([]string, string) {
	text := blank(string(p.source), p.offset(p.file.Package), p.offset(p.file.Name.End()))
	for _, d := range p.file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			continue
		}
		named := slices.ContainsFunc(g.Specs, func(s ast.Spec) bool { return s.(*ast.ImportSpec).Name != nil })
		if !named {
			end := p.offset(g.End())
			for strings.HasPrefix(strings.TrimLeft(text[end:], " \t"), ";") {
				end += strings.Index(text[end:], ";") + 1
			}
			text = blank(text, p.offset(g.Pos()), end)
		}
	}
	return []string{text}, ""
}

func (p program) offset(at token.Pos) int { return p.fset.PositionFor(at, false).Offset }

// blank puts blanks in the place of a part of a text.
func blank(text string, from, to int) string {
	out := []byte(text)
	for i := from; i < to; i++ {
		if out[i] != '\n' {
			out[i] = ' '
		}
	}
	return string(out)
}

// mainCut is what becomes of the main function.
type mainCut int

const (
	keepMain   mainCut = iota // it stays a function
	bodyOfMain                // its statements are a cell
	eachOfMain                // each of its statements is a cell
)

// node is a declaration, with those that must come before it.
type node struct {
	decl  ast.Decl
	names []string // that it declares
	base  string   // a method's type
	uses  map[string]bool
	needs map[*node]bool
}

type cutter struct {
	program
	imports []ast.Decl
	nodes   []*node
	main    *ast.FuncDecl
	owners  map[string]*node
}

func newCutter(p program) *cutter {
	c := &cutter{program: p, owners: map[string]*node{}}
	for _, d := range p.file.Decls {
		n := &node{decl: d, uses: names(d), needs: map[*node]bool{}}
		switch d := d.(type) {
		case *ast.GenDecl:
			if d.Tok == token.IMPORT {
				c.imports = append(c.imports, d)
				continue
			}
			n.names = declared(d)
		case *ast.FuncDecl:
			switch {
			case d.Recv != nil:
				n.base = receiver(d)
			case d.Name.Name == "main":
				c.main = d
				continue
			default:
				n.names = []string{d.Name.Name}
			}
		}
		for _, name := range n.names {
			c.owners[name] = n
		}
		c.nodes = append(c.nodes, n)
	}
	c.order()
	return c
}

// order finds out what must come before what: a name's declaration before its use, a
// type's methods before whatever uses it, but for types; a method before what names one
// of that name, and all of a type before one of them that makes it an interface.
func (c *cutter) order() {
	methods, called := map[string][]*node{}, map[string][]*node{}
	for _, n := range c.nodes {
		if n.base != "" {
			methods[n.base] = append(methods[n.base], n)
			name := n.decl.(*ast.FuncDecl).Name.Name
			called[name] = append(called[name], n)
		}
	}
	for _, n := range c.nodes {
		ast.Inspect(n.decl, func(x ast.Node) bool {
			if s, ok := x.(*ast.SelectorExpr); ok {
				for _, m := range called[s.Sel.Name] {
					n.needs[m] = n.needs[m] || m != n
				}
			}
			return true
		})
		g, isGen := n.decl.(*ast.GenDecl)
		for name := range n.uses {
			if o := c.owners[name]; o != nil && o != n {
				n.needs[o] = true
			}
			if isGen && (g.Tok == token.TYPE || g.Tok == token.CONST) || name == n.base {
				continue
			}
			if n.base != "" && c.isInterface(name) {
				for _, m := range methods[n.base] {
					n.needs[m] = n.needs[m] || m != n
				}
			}
			for _, m := range methods[name] {
				if m != n {
					n.needs[m] = true
				}
			}
		}
		if f, ok := n.decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			for _, o := range c.nodes { // all variables, and what is before it
				if g, ok := o.decl.(*ast.GenDecl); ok && g.Tok == token.VAR || o.decl.Pos() < f.Pos() {
					n.needs[o] = true
				}
			}
		}
	}
}

func (c *cutter) isInterface(name string) bool {
	o := c.owners[name]
	if o == nil {
		return false
	}
	g, ok := o.decl.(*ast.GenDecl)
	return ok && g.Tok == token.TYPE && slices.ContainsFunc(g.Specs, func(s ast.Spec) bool {
		_, is := s.(*ast.TypeSpec).Type.(*ast.InterfaceType)
		return is && s.(*ast.TypeSpec).Name.Name == name
	})
}

// groups returns the declarations in an order in which each can be typed after the
// others; those that need one another are together.
func (c *cutter) groups() [][]*node {
	// Tarjan's strongly connected components come with what is needed first.
	index, low, on := map[*node]int{}, map[*node]int{}, map[*node]bool{}
	var stack []*node
	var out [][]*node
	var visit func(n *node)
	visit = func(n *node) {
		index[n] = len(index) + 1
		low[n] = index[n]
		stack, on[n] = append(stack, n), true
		for _, m := range c.nodes {
			if !n.needs[m] {
				continue
			}
			if index[m] == 0 {
				visit(m)
				low[n] = min(low[n], low[m])
			} else if on[m] {
				low[n] = min(low[n], index[m])
			}
		}
		if low[n] != index[n] {
			return
		}
		at := slices.Index(stack, n)
		group := slices.Clone(stack[at:])
		stack = stack[:at]
		for _, m := range group {
			on[m] = false
		}
		slices.SortFunc(group, func(a, b *node) int { return int(a.decl.Pos() - b.decl.Pos()) })
		out = append(out, group)
	}
	for _, n := range c.nodes {
		if index[n] == 0 {
			visit(n)
		}
	}
	return out
}

func (c *cutter) cells(cut mainCut) ([]string, string) {
	if c.main == nil {
		return nil, "no main function"
	}
	if cut != keepMain {
		if name := c.clash(); name != "" {
			return nil, fmt.Sprintf("main's own %s is also the package's", name)
		}
	}
	var cells []string
	if len(c.imports) > 0 {
		cells = append(cells, c.cell(c.declarations(c.imports...)))
	}
	for _, g := range c.groups() {
		var list []ast.Decl
		for _, n := range g {
			list = append(list, n.decl)
		}
		cells = append(cells, c.cell(c.declarations(list...)))
	}
	list := c.main.Body.List
	switch {
	case cut == keepMain:
		cells = append(cells, c.cell(c.declarations(c.main)))
	case cut == bodyOfMain && len(list) > 0:
		cells = append(cells, c.cell([]span{{c.main.Body.Lbrace + 1, c.main.Body.Rbrace}}))
	case cut == eachOfMain:
		from := c.main.Body.Lbrace + 1
		for i, s := range list {
			if i+1 == len(list) || bound(s) {
				cells = append(cells, c.cell([]span{{from, c.main.Body.Rbrace}}))
				break
			}
			cells = append(cells, c.cell([]span{{from, s.End()}}))
			from = s.End()
		}
	}
	return cells, ""
}

// span is a part of a program.
type span struct{ from, to token.Pos }

// cell is the program with blanks in the place of all but some parts of it, so that each
// line has the number that it has in the program.
func (c *cutter) cell(parts []span) string {
	slices.SortFunc(parts, func(a, b span) int { return int(a.from - b.from) })
	text, at := string(c.source), 0
	for _, p := range parts {
		text = blank(text, at, c.offset(p.from))
		at = c.offset(p.to)
	}
	return strings.TrimRight(blank(text, at, len(text)), " \t\n")
}

// clash is a name that main declares outermost and the package has, too: as a cell, it
// would change what the package's functions mean.
func (c *cutter) clash() string {
	taken := map[string]bool{}
	for name := range c.owners {
		taken[name] = true
	}
	for _, s := range c.file.Imports {
		path := strings.Trim(s.Path.Value, "\"`")
		taken[path[strings.LastIndex(path, "/")+1:]] = true
		if s.Name != nil {
			taken[s.Name.Name] = true
		}
	}
	for _, s := range c.main.Body.List {
		var own []string
		switch s := s.(type) {
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				for _, e := range s.Lhs {
					own = append(own, e.(*ast.Ident).Name)
				}
			}
		case *ast.DeclStmt:
			own = declared(s.Decl.(*ast.GenDecl))
		}
		for _, name := range own {
			if taken[name] && name != "_" {
				return name
			}
		}
	}
	return ""
}

// bound says whether a statement means something else when main ends behind it.
func bound(s ast.Stmt) (found bool) {
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.DeferStmt, *ast.ReturnStmt:
			found = true
		case *ast.LabeledStmt:
			found = true // it may be the target of another
		case *ast.BranchStmt:
			found = found || n.Tok == token.GOTO
		}
		return true
	})
	return found
}

// declarations are the parts of the program with these, and the comments before them.
func (c *cutter) declarations(list ...ast.Decl) (parts []span) {
	for _, d := range list {
		from := d.Pos()
		switch d := d.(type) {
		case *ast.GenDecl:
			if d.Doc != nil {
				from = d.Doc.Pos()
			}
		case *ast.FuncDecl:
			if d.Doc != nil {
				from = d.Doc.Pos()
			}
		}
		parts = append(parts, span{from, d.End()})
	}
	return parts
}

func declared(g *ast.GenDecl) (list []string) {
	for _, s := range g.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			list = append(list, s.Name.Name)
		case *ast.ValueSpec:
			for _, n := range s.Names {
				list = append(list, n.Name)
			}
		}
	}
	return slices.DeleteFunc(list, func(n string) bool { return n == "_" })
}

// receiver is the name of a method's type.
func receiver(f *ast.FuncDecl) (name string) {
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return name == ""
	})
	return name
}

// names are those that a node mentions, but for what is behind a dot.
func names(n ast.Node) map[string]bool {
	found := map[string]bool{}
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			ast.Inspect(n.X, visit)
			return false
		case *ast.Ident:
			found[n.Name] = true
		}
		return true
	}
	ast.Inspect(n, visit)
	return found
}
