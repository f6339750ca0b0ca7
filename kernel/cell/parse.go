package cell

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// Cell is the Go of a notebook's cell. Its text is as long as the cell's: what is not
// Go is blank in it, so that places in both are the same.
type Cell struct {
	// Number is the cell's, as in its prompt.
	Number int
	// Text is Go source.
	Text string
	// HasMain says that the cell tells itself where its main function begins (%%), at
	// the offset Main: what is before it is declared, what follows is local.
	// Otherwise statements stand anywhere, and what they declare outermost lives on.
	HasMain bool
	Main    int
	// Call is a function to call at the end (%exec).
	Call string
}

// Parsed is the syntax of a cell.
type Parsed struct {
	cell    Cell
	sources *sources
	unit    *unit
	imports []imported
	decls   []*decl // types, constants, functions and methods
	vars    []*decl // variables of the package, in a cell without statements
	once    []*decl // init and main
	body    []ast.Stmt
	first   token.Pos      // of the parsed body
	taken   [][2]token.Pos // where declarations are that are not in the body
}

// imported is an import that a cell asks for.
type imported struct {
	path, alias string
	pos         token.Pos
}

// Parse reads a cell.
func Parse(c Cell) (*Parsed, error) { return parse(newSources(), c) }

func parse(s *sources, c Cell) (*Parsed, error) {
	p := &Parsed{cell: c, sources: s, unit: &unit{text: c.Text, at: at0(c.Number)}}
	r := reader{Parsed: p}
	r.read()
	if len(r.mistakes) > 0 {
		return nil, sorted(asGo(c.Text, withoutSequels(r.mistakes)))
	}
	return p, nil
}

// reader reads a cell, and goes on after a mistake.
type reader struct {
	*Parsed
	mistakes []Mistake
}

// atEnd is what the parser finds where a cell ends too early.
const atEnd = "found the end of the cell"

// withoutSequels leaves out what is missing at the end because of another mistake.
func withoutSequels(list []Mistake) []Mistake {
	if others := slices.DeleteFunc(slices.Clone(list), func(m Mistake) bool { return strings.HasSuffix(m.Message, atEnd) }); len(others) > 0 {
		return others
	}
	return list
}

// asGo says of lines that look like Python how Go has them: in the place of all else that is
// wrong with them.
func asGo(text string, list []Mistake) []Mistake {
	lines := strings.Split(text, "\n")
	said := map[int]bool{}
	var out []Mistake
	for _, m := range list {
		if m.Line < 1 || m.Line > len(lines) {
			out = append(out, m)
			continue
		}
		say := asPython(lines[m.Line-1])
		switch {
		case say == "":
			out = append(out, m)
		case !said[m.Line]:
			said[m.Line] = true
			m.Message += "; " + say
			out = append(out, m)
		}
	}
	return out
}

var foundEnd = regexp.MustCompile(`found ('}'|'EOF'|newline)$`)

func (r *reader) mistake(offset int, message string) {
	if offset >= len(r.cell.Text) {
		message = foundEnd.ReplaceAllString(message, atEnd)
	}
	before := r.cell.Text[:min(offset, len(r.cell.Text))]
	// What the parser misses behind the end is missing in the last line.
	if offset >= len(r.cell.Text) {
		before = strings.TrimRight(before, " \t\n")
	}
	line := strings.Count(before, "\n") + 1
	column := len(before) - strings.LastIndexByte(before, '\n')
	r.mistakes = append(r.mistakes, Mistake{r.cell.Number, line, column, message})
}

func (r *reader) read() {
	text, main := r.cell.Text, ""
	if r.cell.HasMain {
		text, main = text[:r.cell.Main], text[r.cell.Main:]
		text += only(main, nil, bodyPart)
		main = only(r.cell.Text[:r.cell.Main], nil, bodyPart) + main
	}
	var braces []Mistake // that do not fit; the parser's mistakes are sequels of them
	defer func() {
		if len(braces) > 0 {
			r.mistakes = braces
		}
	}()
	unfit := func(offset int, message string) {
		r.mistake(offset, message)
		braces = append(braces, r.mistakes[len(r.mistakes)-1])
	}
	regions := outline(text, unfit)
	r.readImports(text, regions)
	r.readFuncs(text, regions)
	if r.cell.HasMain {
		outline(main, unfit)
		r.readDecls(only(text, regions, bodyPart))
		r.body = r.readBody(main)
		return
	}
	r.outermost(r.readBody(only(text, regions, bodyPart)))
}

// parse parses a text of the cell's length behind a header.
func (r *reader) parse(header, text, footer string) *ast.File {
	f, at, err := r.sources.parse(r.unit, header, text, footer)
	if err != nil {
		for _, e := range scannerErrors(err) {
			r.mistake(max(e.Pos.Offset-at, 0), e.Msg)
		}
	}
	return f
}

func (r *reader) readImports(text string, regions []region) {
	for i, region := range regions {
		if region.part == packagePart && i > 0 {
			r.mistake(firstToken(text, region.start), "a package clause is only possible at the beginning")
		}
	}
	f := r.parse("package main;", only(text, regions, importPart), "")
	if f == nil {
		return
	}
	for _, s := range f.Imports {
		i := imported{path: strings.Trim(s.Path.Value, "\"`"), pos: s.Pos()}
		if s.Name != nil {
			i.alias = s.Name.Name
		}
		r.imports = append(r.imports, i)
	}
}

// firstToken is the offset of the first thing behind blanks and comments.
func firstToken(text string, at int) int {
	for at < len(text) {
		rest := text[at:]
		switch {
		case strings.HasPrefix(rest, "//"):
			at += strings.IndexByte(rest+"\n", '\n')
		case strings.HasPrefix(rest, "/*"):
			at += strings.Index(rest+"*/", "*/") + 2
		case strings.TrimLeft(rest[:1], " \t\r\n") == "":
			at++
		default:
			return at
		}
	}
	return len(text)
}

var initName = regexp.MustCompile(`^init(_\w*)?$`)

func (r *reader) readFuncs(text string, regions []region) {
	f := r.parse("package main;", only(text, regions, funcPart), "")
	if f == nil {
		return
	}
	for _, node := range f.Decls {
		if fn, ok := node.(*ast.FuncDecl); ok {
			d := r.newFunc(fn)
			r.taken = append(r.taken, [2]token.Pos{d.start, d.end})
			_, at := r.sources.place(fn.Name.Pos())
			switch {
			case strings.Contains(directives(fn.Doc), "//go:linkname "):
				r.mistake(at, "//go:linkname is not possible in a cell; put the function into a package of a module, and import that")
			case fn.Body == nil:
				r.mistake(at, "missing function body")
			}
			if d.kind == funcDecl && (d.key == "main" || initName.MatchString(d.key)) {
				r.once = append(r.once, d)
			} else {
				r.decls = append(r.decls, d)
			}
		}
	}
}

// readDecls reads declarations that are not among statements.
func (r *reader) readDecls(text string) {
	f := r.parse("package main;", text, "")
	if f == nil {
		return
	}
	for _, node := range f.Decls {
		if g, ok := node.(*ast.GenDecl); ok {
			r.declare(g)
		}
	}
}

func (r *reader) declare(g *ast.GenDecl) {
	r.taken = append(r.taken, [2]token.Pos{r.sources.docStart(g.Doc, g.Pos()), g.End()})
	for _, d := range r.newGen(g) {
		if d.kind == varDecl {
			r.vars = append(r.vars, d)
		} else {
			r.decls = append(r.decls, d)
		}
	}
}

func (r *reader) readBody(text string) []ast.Stmt {
	f := r.parse("package main;func _(){", text, "\n}")
	if f != nil {
		r.first = f.Package
	}
	if f == nil || len(f.Decls) == 0 {
		return nil
	}
	fn, ok := f.Decls[0].(*ast.FuncDecl)
	if !ok || fn.Body == nil {
		return nil
	}
	return fn.Body.List
}

// outermost takes declarations out of a cell's body. Variables stay in it, in their
// place among the statements, if there are any.
func (r *reader) outermost(list []ast.Stmt) {
	var vars []*ast.GenDecl
	plain := true
	for _, s := range list {
		g := genDecl(s)
		switch {
		case g != nil && g.Tok == token.VAR && len(embedPatterns(g.Doc)) > 0:
		case g != nil && g.Tok == token.VAR:
			vars = append(vars, g)
		case g == nil && !isEmpty(s):
			plain = false
		}
	}
	for _, s := range list {
		g := genDecl(s)
		switch {
		case isEmpty(s):
		case g == nil, g.Tok == token.VAR && !plain && slices.Contains(vars, g):
			r.body = append(r.body, s)
		default:
			r.declare(g)
		}
	}
}

func genDecl(s ast.Stmt) *ast.GenDecl {
	if d, ok := s.(*ast.DeclStmt); ok {
		g, _ := d.Decl.(*ast.GenDecl)
		return g
	}
	return nil
}

func isEmpty(s ast.Stmt) bool {
	_, ok := s.(*ast.EmptyStmt)
	return ok
}
