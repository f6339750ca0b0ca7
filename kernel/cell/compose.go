package cell

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
)

const (
	// packagePath is the import path of the package that a notebook is.
	packagePath = "main"
	// runtimePath is the package by which cells talk to the session, runtimeName
	// its name in them.
	runtimePath = "github.com/gradbook/gradbook/kernel/session"
	runtimeName = "gradbookʹ"
)

// Input is a cell to compose.
type Input struct {
	// Number is the cell's, as in its prompt.
	Number int
	// Source is its Go source. Lines that are not Go are blank.
	Source string
	// Main, if not empty, holds the statements of a cell that says where its main
	// function begins (%%), whose first line is MainLine. Otherwise statements
	// stand anywhere in Source, and what they declare outermost lives on.
	Main     string
	HasMain  bool
	MainLine int
	// Call is a function to call at the end (%exec).
	Call string
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

// Commit makes the cell's declarations those of the notebook. It is called when
// the cell has been built.
func (o *Output) Commit() { o.commit() }

// Error is a mistake in a cell.
type Error struct {
	// List holds the single mistakes, in order.
	List []Mistake
}

// Mistake is at a place in a cell.
type Mistake struct {
	Cell, Line, Column int
	Message            string
}

func (e *Error) Error() string {
	lines := make([]string, len(e.List))
	for i, m := range e.List {
		lines[i] = fmt.Sprintf("cell[%d]:%d:%d: %s", m.Cell, m.Line, m.Column, m.Message)
	}
	return strings.Join(lines, "\n")
}

// composition is a cell under way.
type composition struct {
	*Notebook
	in   Input
	next state

	fresh      []*decl // of this cell, but for the following
	freshVars  []*decl
	oneShot    []*decl // init and main
	statements []chunk
	blank      []string // imports for their effects
	again      []*decl  // variables that are initialised again
	lost       []string
	notes      []string

	layout, methods, funcs map[string]bool // names that changed, by what changed

	show    bool            // wrap the last expression
	hoistUp map[string]bool // := variables that the cell's functions use

	// The file that is checked.
	text    string
	fset    *token.FileSet
	file    *ast.File
	info    *types.Info
	pkg     *types.Package
	imports map[string]string // path by local name
	pieces  []piece
	live    []*decl
	liveVar []*variable
}

// piece is a part of the checked file.
type piece struct {
	decl       *decl // nil for the statements
	start, end int
	cell, line int
}

// Compose checks a cell and writes the file to compile. The notebook does not
// change until the output is committed.
func (n *Notebook) Compose(in Input) (*Output, error) {
	c := &composition{Notebook: n, in: in, next: n.clone(), show: !in.HasMain, hoistUp: map[string]bool{}}
	if err := c.read(); err != nil {
		return nil, err
	}
	c.change()
	for range 4 {
		err := c.check()
		if err == nil {
			return c.emit()
		}
		if !errors.Is(err, errAgain) {
			return nil, err
		}
	}
	return nil, &Error{[]Mistake{{in.Number, 1, 1, "the cell's declarations and statements depend on each other in circles"}}}
}

// errAgain says that the check must be repeated.
var errAgain = errors.New("again")

// read cuts the cell into its parts.
func (c *composition) read() error {
	chunks := split(c.in.Source, c.in.Number)
	if c.in.HasMain {
		c.statements = []chunk{{statement, c.in.Main, c.in.Number, c.in.MainLine}}
	} else {
		for _, k := range chunks {
			if k.kind == statement {
				c.statements = append(c.statements, k)
			}
		}
	}
	plain := len(c.statements) > 0 && !c.in.HasMain
	if plain {
		c.statements = nil
	}
	for _, k := range chunks {
		switch {
		case k.kind == importDecl:
			list, err := importsOf(k)
			if err != nil {
				return syntaxError(err, k, len("package main;"))
			}
			for _, i := range list {
				if err := c.importing(i[0], i[1], k); err != nil {
					return err
				}
			}
		case plain && (k.kind == statement || k.kind == varDecl):
			c.statements = append(c.statements, k)
		default:
			list, err := parseDecls(k)
			if err != nil {
				return syntaxError(err, k, len("package main;"))
			}
			for _, d := range list {
				switch {
				case d.kind == funcDecl && (d.key == "main" || initName.MatchString(d.key)):
					c.oneShot = append(c.oneShot, d)
				case d.kind == varDecl:
					c.freshVars = append(c.freshVars, d)
				default:
					c.fresh = append(c.fresh, d)
				}
			}
		}
	}
	return nil
}

func (c *composition) importing(path, alias string, k chunk) error {
	p, err := c.packages.Import(path)
	if err != nil {
		return &Error{[]Mistake{{k.cell, k.line, 1, err.Error()}}}
	}
	switch alias {
	case "_":
		c.blank = append(c.blank, path)
	case ".":
		if !slices.Contains(c.next.dots, path) {
			c.next.dots = append(c.next.dots, path)
		}
	case "":
		c.next.imports[p.Name()] = path
	default:
		c.next.imports[alias] = path
	}
	return nil
}

func syntaxError(err error, k chunk, header int) error {
	out := &Error{}
	for _, e := range scannerErrors(err) {
		m := Mistake{Cell: k.cell, Line: k.line + e.Pos.Line - 1, Column: e.Pos.Column, Message: e.Msg}
		if e.Pos.Line == 1 {
			m.Column -= header
		}
		out.List = append(out.List, m)
	}
	return out
}

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
		if old := c.Notebook.owners[name]; d == nil && old != nil && c.localNames()[name] {
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
		if old := c.Notebook.vars[name]; v != nil && c.localNames()[name] {
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

// preferred are the packages that a name means first.
func rank(path string) int {
	switch {
	case strings.HasPrefix(path, "github.com/gradbook/gradbook/"):
		return 0
	case !strings.Contains(path, "."):
		if path == "html/template" || path == "crypto/rand" || strings.HasPrefix(path, "testing/") {
			return 2
		}
		return 1
	}
	return 3
}

// find returns the package of that name that exports all of the selectors.
func (c *composition) find(name string, selectors map[string]bool) string {
	var candidates []string
	for path, n := range c.packages.Names() {
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
		p, err := c.packages.Import(path)
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
