package cell

import (
	"cmp"
	"go/ast"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// kind is what a declaration declares.
type kind int

const (
	constDecl kind = iota
	typeDecl
	varDecl
	funcDecl
	methodDecl
)

// decl is a declaration that lives from cell to cell.
type decl struct {
	kind  kind
	key   string   // a name, or T.m for a method
	names []string // that it declares at package level
	base  string   // a method's receiver type
	// tokens is what it says without comments: two declarations with the same tokens
	// are the same.
	tokens string
	// node is its syntax; what is compiled is prefix and the text from start to end.
	node       ast.Decl
	prefix     string
	start, end token.Pos
	uses       map[string]bool // names of the package that it mentions
	// packages are the packages that the text of an earlier cell's declaration
	// mentions, by the names that they have in it.
	packages map[string]string
	embeds   []string // patterns of go:embed directives
	locals   []int    // numbers of the types that are declared in it
}

// text is the declaration as a file would have it.
func (s *sources) textOf(d *decl) string { return d.prefix + s.slice(d.start, d.end) }

func (r *reader) newFunc(fn *ast.FuncDecl) *decl {
	d := &decl{kind: funcDecl, key: fn.Name.Name, names: []string{fn.Name.Name}, node: fn, start: fn.Pos(), end: fn.End(), uses: uses(fn)}
	d.start = r.sources.docStart(fn.Doc, d.start)
	if fn.Recv != nil && len(fn.Recv.List) == 1 {
		d.kind, d.base = methodDecl, receiver(fn.Recv.List[0].Type)
		d.key, d.names = d.base+"."+fn.Name.Name, nil
	}
	d.tokens = directives(fn.Doc) + tokens(r.sources.slice(fn.Pos(), fn.End()))
	return d
}

// directives are those to the compiler in a comment, such as go:noinline.
func directives(doc *ast.CommentGroup) string {
	var b strings.Builder
	if doc != nil {
		for _, c := range doc.List {
			if strings.HasPrefix(c.Text, "//go:") {
				b.WriteString(c.Text + "\n")
			}
		}
	}
	return b.String()
}

// docStart is where the comment before a declaration begins, or else the declaration.
// (To the parser, the directive before a text is a part of the comment.)
func (s *sources) docStart(doc *ast.CommentGroup, start token.Pos) token.Pos {
	if doc == nil {
		return start
	}
	for _, c := range doc.List {
		if _, offset := s.place(c.Pos()); offset >= 0 {
			return c.Pos()
		}
	}
	return start
}

// newGen reads a declaration of constants, types or variables. A group of types or
// variables is cut into its members; a group of constants stays one, since iota counts
// in it.
func (r *reader) newGen(g *ast.GenDecl) []*decl {
	if g.Tok == token.CONST {
		d := &decl{kind: constDecl, names: declared(g), node: g, start: g.Pos(), end: g.End(), uses: uses(g)}
		if d.tokens = tokens(r.sources.slice(g.Pos(), g.End())); len(d.names) == 0 {
			return nil // nothing can refer to it
		}
		d.key = d.names[0]
		return []*decl{d}
	}
	var list []*decl
	for _, s := range g.Specs {
		d := &decl{kind: typeDecl, node: g, start: g.Pos(), end: g.End(), uses: uses(s), names: declared(&ast.GenDecl{Tok: g.Tok, Specs: []ast.Spec{s}})}
		doc := g.Doc
		if g.Lparen.IsValid() {
			d.node = &ast.GenDecl{TokPos: g.TokPos, Tok: g.Tok, Specs: []ast.Spec{s}}
			d.prefix, d.start, d.end, doc = g.Tok.String()+" ", s.Pos(), s.End(), nil
		}
		if v, ok := s.(*ast.ValueSpec); ok {
			if d.kind = varDecl; v.Doc != nil {
				doc = v.Doc
			}
		}
		if d.embeds = embedPatterns(doc); len(d.embeds) > 0 && d.prefix == "" {
			d.start = r.sources.docStart(doc, d.start)
		}
		d.tokens = d.prefix + tokens(r.sources.slice(max(d.start, s.Pos()), d.end))
		d.key = strings.Join(d.names, ",")
		list = append(list, d)
	}
	return list
}

// embedPatterns are the patterns of go:embed directives in a comment.
func embedPatterns(doc *ast.CommentGroup) (list []string) {
	if doc == nil {
		return nil
	}
	for _, c := range doc.List {
		if rest, ok := strings.CutPrefix(c.Text, "//go:embed "); ok {
			list = append(list, strings.Fields(rest)...)
		}
	}
	return list
}

// declared are the names that a declaration declares, but for the blank one.
func declared(g *ast.GenDecl) (names []string) {
	for _, s := range g.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			names = append(names, s.Name.Name)
		case *ast.ValueSpec:
			for _, n := range s.Names {
				names = append(names, n.Name)
			}
		}
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "_" })
}

// receiver is the name of a method's type.
func receiver(e ast.Expr) string {
	for {
		switch t := e.(type) {
		case *ast.StarExpr:
			e = t.X
		case *ast.ParenExpr:
			e = t.X
		case *ast.IndexExpr:
			e = t.X
		case *ast.IndexListExpr:
			e = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}

// uses are the names that a node mentions, but for those behind a dot.
func uses(n ast.Node) map[string]bool {
	names := map[string]bool{}
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			ast.Inspect(n.X, visit)
			return false
		case *ast.Ident:
			names[n.Name] = true
		}
		return true
	}
	ast.Inspect(n, visit)
	return names
}

// tokens is Go source without its comments and its layout: neither is what ends a line
// before a closing bracket and may stand there or not.
func tokens(text string) string {
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", fset.Base(), len(text)), []byte(text), nil, 0)
	var b strings.Builder
	pending := ""
	for {
		_, tok, lit := s.Scan()
		if tok != token.RBRACE && tok != token.RPAREN && tok != token.EOF {
			b.WriteString(pending)
		}
		pending = ""
		switch tok {
		case token.EOF:
			return b.String()
		case token.SEMICOLON:
			pending = "; "
		case token.COMMA:
			pending = ", "
		default:
			b.WriteString(cmp.Or(lit, tok.String()) + " ")
		}
	}
}

// settle returns a declaration as a text of its own, for later cells.
func (s *sources) settle(d *decl, text string) *decl {
	out := *d
	u := &unit{text: text, at: s.fset.Position(d.start)}
	f, start, err := s.parse(u, "package main;", text, "")
	if err != nil || len(f.Decls) != 1 {
		panic("a declaration that was parsed no longer is one: " + text)
	}
	file := s.fset.File(f.Package)
	out.node, out.prefix = f.Decls[0], ""
	out.start, out.end = file.Pos(start), file.Pos(start+len(text))
	return &out
}

// without returns a group of constants without one of its names, so that the others
// keep their values; nil if there are no others.
func (s *sources) without(d *decl, name string) *decl {
	g, ok := d.node.(*ast.GenDecl)
	if d.kind != constDecl || len(d.names) < 2 || !ok {
		return nil
	}
	out := *d
	out.names = slices.DeleteFunc(slices.Clone(d.names), func(n string) bool { return n == name })
	out.key = out.names[0]
	text := s.textOf(d)
	for _, spec := range g.Specs {
		for _, id := range spec.(*ast.ValueSpec).Names {
			if id.Name == name {
				_, from := s.place(d.start)
				_, at := s.place(id.Pos())
				at += len(d.prefix) - from
				text = text[:at] + "_" + text[at+len(name):]
			}
		}
	}
	out.tokens = tokens(text)
	return s.settle(&out, text)
}
