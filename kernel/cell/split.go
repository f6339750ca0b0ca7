package cell

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
)

// kind is what a chunk of a cell is.
type kind int

const (
	statement kind = iota
	importDecl
	constDecl
	typeDecl
	varDecl
	funcDecl
	methodDecl
)

// chunk is one declaration or statement at the outermost level of a cell, with
// the comments before it.
type chunk struct {
	kind kind
	text string
	cell int // number of the cell
	line int // of its first line in the cell, from 1
}

// split cuts Go source into its outermost declarations and statements, where
// both may stand side by side.
func split(source string, cell int) []chunk {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(source))
	var s scanner.Scanner
	s.Init(file, []byte(source), func(token.Position, string) {}, 0)
	type tok struct {
		t      token.Token
		offset int
	}
	var toks []tok
	var chunks []chunk
	depth, start, last := 0, 0, 0 // last is the end of the last token
	flush := func(end int) {
		if len(toks) > 0 {
			list := make([]token.Token, len(toks))
			for i, t := range toks {
				list[i] = t.t
			}
			text := source[start:end]
			trimmed := strings.TrimLeft(text, " \t\r\n")
			line := 1 + strings.Count(source[:start+len(text)-len(trimmed)], "\n")
			chunks = append(chunks, chunk{classify(list), strings.TrimRight(trimmed, " \t\r\n;"), cell, line})
		}
		toks, start = nil, end
	}
	for {
		pos, t, lit := s.Scan()
		offset := file.Offset(pos)
		if t == token.EOF {
			flush(len(source))
			return chunks
		}
		switch t {
		case token.LPAREN, token.LBRACE, token.LBRACK:
			depth++
		case token.RPAREN, token.RBRACE, token.RBRACK:
			depth--
		case token.SEMICOLON:
			if depth <= 0 {
				end := offset
				if lit == ";" {
					end++
				} else {
					end = pastComments(source, last)
				}
				depth = 0
				flush(end)
				continue
			}
		}
		toks = append(toks, tok{t, offset})
		if last = offset + len(lit); lit == "" {
			last = offset + len(t.String())
		}
	}
}

// pastComments is the end of the comments that begin on the line of an offset:
// they belong to what is before them.
func pastComments(source string, offset int) int {
	for {
		rest := source[offset:]
		trimmed := strings.TrimLeft(rest, " \t")
		switch {
		case strings.HasPrefix(trimmed, "//"):
			if nl := strings.IndexByte(rest, '\n'); nl >= 0 {
				return offset + nl
			}
			return len(source)
		case strings.HasPrefix(trimmed, "/*"):
			end := strings.Index(trimmed, "*/")
			if end < 0 {
				return len(source)
			}
			offset += len(rest) - len(trimmed) + end + 2
		default:
			return offset
		}
	}
}

// classify tells a chunk's kind from its tokens.
func classify(t []token.Token) kind {
	switch t[0] {
	case token.IMPORT:
		return importDecl
	case token.CONST:
		return constDecl
	case token.TYPE:
		return typeDecl
	case token.VAR:
		return varDecl
	case token.FUNC:
		if len(t) > 1 && t[1] == token.IDENT {
			return funcDecl
		}
		// func (r T) name( is a method; func (a int) T { is a literal.
		depth := 0
		for i := 1; i < len(t); i++ {
			switch t[i] {
			case token.LPAREN:
				depth++
			case token.RPAREN:
				if depth--; depth == 0 {
					if i+2 < len(t) && t[i+1] == token.IDENT && t[i+2] == token.LPAREN {
						return methodDecl
					}
					return statement
				}
			}
		}
	}
	return statement
}

// decl is a declaration that lives from cell to cell.
type decl struct {
	chunk
	key   string   // a name, or T.m for a method
	names []string // that it declares at package level
	base  string   // a method's receiver type
	uses  map[string]bool
}

// parseDecls reads a chunk that holds a declaration. A group of types or
// variables is cut into its members; a group of constants stays one, since iota
// counts in it.
func parseDecls(c chunk) ([]*decl, error) {
	const header = "package main;"
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", header+c.text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	textOf := func(from, to token.Pos) (string, int) {
		a, b := fset.Position(from).Offset-len(header), fset.Position(to).Offset-len(header)
		return c.text[a:b], c.line + strings.Count(c.text[:a], "\n")
	}
	var list []*decl
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			out := &decl{chunk: c, key: d.Name.Name, names: []string{d.Name.Name}, uses: uses(d)}
			if d.Recv != nil && len(d.Recv.List) == 1 {
				out.base = receiver(d.Recv.List[0].Type)
				out.key, out.names = out.base+"."+d.Name.Name, nil
			}
			list = append(list, out)
		case *ast.GenDecl:
			if d.Tok == token.CONST {
				out := &decl{chunk: c, uses: uses(d)}
				for _, s := range d.Specs {
					for _, n := range s.(*ast.ValueSpec).Names {
						if n.Name != "_" {
							out.names = append(out.names, n.Name)
						}
					}
				}
				if len(out.names) > 0 {
					out.key = out.names[0]
				}
				list = append(list, out)
				continue
			}
			for _, s := range d.Specs {
				out := &decl{chunk: c, uses: uses(s)}
				if d.Lparen.IsValid() {
					out.text, out.line = textOf(s.Pos(), s.End())
					out.text = d.Tok.String() + " " + out.text
				}
				switch s := s.(type) {
				case *ast.TypeSpec:
					out.names = []string{s.Name.Name}
				case *ast.ValueSpec:
					for _, n := range s.Names {
						out.names = append(out.names, n.Name)
					}
				case *ast.ImportSpec:
					continue
				}
				out.key = out.names[0]
				list = append(list, out)
			}
		}
	}
	return list, nil
}

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

// uses are the names that n mentions, but for those after a dot.
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

// usesIn are the names that statements mention.
func usesIn(statements string) map[string]bool {
	f, _ := parser.ParseFile(token.NewFileSet(), "", "package main;func _(){\n"+statements+"\n}", parser.SkipObjectResolution)
	if f == nil {
		return map[string]bool{}
	}
	return uses(f)
}

// importsOf reads a chunk of imports, as path and alias.
func importsOf(c chunk) ([][2]string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "", "package main;"+c.text, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var list [][2]string
	for _, s := range f.Imports {
		alias := ""
		if s.Name != nil {
			alias = s.Name.Name
		}
		list = append(list, [2]string{strings.Trim(s.Path.Value, "\"`"), alias})
	}
	return list, nil
}

var initName = regexp.MustCompile(`^init(_\w*)?$`)

// Parses says whether source is a cell without a mistake in its syntax.
func Parses(source string) bool {
	for _, c := range split(source, 0) {
		text := "package main;" + c.text
		if c.kind == statement {
			text = "package main;func _(){" + c.text + "\n}"
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution); err != nil {
			return false
		}
	}
	return true
}

// DeclaredNames are the names that source declares outermost.
func DeclaredNames(source string) map[string]bool {
	names := map[string]bool{}
	for _, c := range split(source, 0) {
		list, err := parseDecls(c)
		if c.kind == statement || err != nil {
			continue
		}
		for _, d := range list {
			names[d.key] = true
			for _, n := range d.names {
				names[n] = true
			}
		}
	}
	return names
}
