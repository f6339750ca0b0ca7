package cell

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// edit replaces a part of the checked file.
type edit struct {
	start, end int
	text       string
}

// emission is the file to compile, being written.
type emission struct {
	*composition
	edits    []edit
	names    map[types.Object]string // emitted names of objects that have primes
	versions map[string]int          // of the next state's names
	used     map[string]string       // names of imports by path
	vars     []*variable             // to announce: new ones and those carried over
	carried  map[string]bool
	embeds   []string
	unkept   map[*ast.Ident]bool // outermost variables that cannot live on
}

const (
	numberMark = "\x01" // stands for the library's number
	cellMark   = "\x02" // stands for the cell's number
)

func (c *composition) emit() (*Output, error) {
	e := &emission{composition: c, names: map[types.Object]string{}, versions: maps.Clone(c.next.versions), used: map[string]string{}, carried: map[string]bool{}}
	e.raise()
	if e.variables() {
		// A variable's type has changed, so what depends on it has too.
		e.propagate()
		e.reach()
		e.write()
		if err := e.check(); err != nil {
			return nil, err
		}
		e.versions = maps.Clone(c.next.versions)
		e.raise()
		e.vars, e.carried, e.names = nil, map[string]bool{}, map[types.Object]string{}
		e.variables()
	}
	e.rename()
	e.statementsEdits()
	e.calls()
	source := e.file()
	next := c.next
	key := source
	out := &Output{Notes: c.notes, Embeds: e.embeds}
	if lib, ok := c.built[key]; ok {
		out.N = lib
	} else {
		out.Build, out.N = true, c.Notebook.next+1
	}
	source = strings.ReplaceAll(source, numberMark, fmt.Sprint(out.N))
	out.Source = []byte(strings.ReplaceAll(source, cellMark, fmt.Sprint(c.in.Number)))
	next.versions = e.versions
	out.commit = func() {
		c.state = next
		c.built[key] = out.N
		c.Notebook.next = max(c.Notebook.next, out.N)
	}
	return out, nil
}

// raise gives what has changed a further version.
func (e *emission) raise() {
	for _, set := range []map[string]bool{e.layout, e.methods, e.funcs} {
		for name := range set {
			if _, isVar := e.next.vars[name]; isVar {
				continue
			}
			if v, ok := e.composition.Notebook.versions[name]; ok {
				e.versions[name] = v + 1
			}
		}
	}
	for _, d := range e.next.decls {
		for _, name := range d.names {
			if _, ok := e.versions[name]; !ok {
				e.versions[name] = 0
			}
		}
	}
}

// variables finds the cell's variables and their versions. It says whether the
// type of an older one has changed.
func (e *emission) variables() (changed bool) {
	old := e.composition.Notebook.vars
	define := func(name string, t types.Type, d *decl, obj types.Object) {
		v := &variable{name: name, typ: t, decl: d}
		before, had := old[name]
		switch {
		case had && e.sameType(before.typ, t) && e.next.owners[name] == nil:
			v.version = before.version
		default:
			if used, ok := e.composition.Notebook.versions[name]; ok {
				v.version = used + 1
				if !e.funcs[name] {
					e.funcs[name] = true
					changed = changed || had || e.next.owners[name] != nil
				}
			}
			e.versions[name] = v.version
		}
		if d := e.next.owners[name]; d != nil {
			e.next.drop(d)
		}
		e.next.vars[name] = v
		e.vars = append(e.vars, v)
		if n := emitted(name, v.version); n != name {
			e.names[obj] = n
		}
	}
	for _, d := range e.freshVars {
		for _, name := range d.names {
			if name == "_" {
				continue
			}
			obj := e.pkg.Scope().Lookup(name)
			if obj == nil {
				continue
			}
			define(name, obj.Type(), d, obj)
		}
	}
	// Variables whose types have got other methods move to the new types.
	for _, v := range e.liveVar {
		for t := range sessionTypes(v.typ) {
			if !e.methods[t] || e.carried[v.name] {
				continue
			}
			obj := e.pkg.Scope().Lookup(v.name)
			if obj == nil {
				continue
			}
			moved := &variable{name: v.name, typ: obj.Type(), decl: v.decl, version: e.composition.Notebook.versions[v.name] + 1}
			e.versions[v.name] = moved.version
			e.next.vars[v.name] = moved
			e.vars = append(e.vars, moved)
			e.carried[v.name] = true
			if !e.funcs[v.name] {
				e.funcs[v.name], changed = true, true
			}
		}
	}
	e.findUnkept()
	e.defined(func(id *ast.Ident) {
		obj := e.info.Defs[id]
		if obj == nil || id.Name == "_" || e.unkept[id] {
			return
		}
		define(id.Name, obj.Type(), nil, obj)
		if e.names[obj] == "" {
			e.names[obj] = id.Name
		}
	})
	return changed
}

// findUnkept finds outermost variables whose types cannot be named in a later
// cell. They, and those of the same statement, live as long as their cell.
func (e *emission) findUnkept() {
	e.unkept = map[*ast.Ident]bool{}
	check := func(ids []*ast.Ident) {
		for _, id := range ids {
			if obj := e.info.Defs[id]; obj != nil && id.Name != "_" && !keepable(obj.Type(), e.pkg.Scope()) {
				for _, other := range ids {
					e.unkept[other] = true
				}
				return
			}
		}
	}
	for _, s := range e.body().Body.List {
		switch s := s.(type) {
		case *ast.AssignStmt:
			var ids []*ast.Ident
			for _, l := range s.Lhs {
				if id, ok := l.(*ast.Ident); ok && s.Tok == token.DEFINE {
					ids = append(ids, id)
				}
			}
			check(ids)
		case *ast.DeclStmt:
			if g, ok := s.Decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
				var ids []*ast.Ident
				for _, spec := range g.Specs {
					ids = append(ids, spec.(*ast.ValueSpec).Names...)
				}
				check(ids)
			}
		}
	}
}

// useUnkept keeps the compiler from complaining of a variable that nobody reads.
func (e *emission) useUnkept(ids []*ast.Ident, end token.Pos) {
	for _, id := range ids {
		if e.unkept[id] && id.Name != "_" && e.info.Defs[id] != nil {
			e.insert(end, "; _ = "+id.Name)
		}
	}
}

// sameType says whether a variable may stay where it is.
func (e *emission) sameType(a, b types.Type) bool {
	for t := range sessionTypes(b) {
		if e.layout[t] || e.methods[t] {
			return false
		}
	}
	full := func(p *types.Package) string { return p.Path() }
	return types.TypeString(a, full) == types.TypeString(b, full)
}

// rename finds the identifiers that are emitted under another name.
func (e *emission) rename() {
	version := func(obj types.Object) (string, bool) {
		if name, ok := e.names[obj]; ok {
			return name, name != obj.Name()
		}
		if obj.Parent() != e.pkg.Scope() && !isEmbedded(obj) {
			return "", false
		}
		if isEmbedded(obj) && !e.embedsOwn(obj) {
			return "", false
		}
		v := e.versions[obj.Name()]
		if _, isVar := obj.(*types.Var); !isVar && e.next.owners[obj.Name()] == nil {
			v = e.composition.Notebook.versions[obj.Name()] // a := has taken its name
		}
		if _, isVar := obj.(*types.Var); isVar && !isEmbedded(obj) {
			if e.hoistUp[obj.Name()] && e.next.vars[obj.Name()] != nil {
				v = e.next.vars[obj.Name()].version
			} else if e.carried[obj.Name()] {
				v = e.next.vars[obj.Name()].version
			} else if old := e.composition.Notebook.vars[obj.Name()]; old != nil {
				v = old.version
			}
		}
		return emitted(obj.Name(), v), v > 0
	}
	visit := func(id *ast.Ident, obj types.Object) {
		if obj == nil || obj.Pkg() != e.pkg {
			return
		}
		if v, ok := obj.(*types.Var); ok {
			obj = v.Origin()
		}
		if name, ok := version(obj); ok {
			e.replace(id.Pos(), id.End(), name)
		}
	}
	for id, obj := range e.info.Uses {
		visit(id, obj)
	}
	for id, obj := range e.info.Defs {
		visit(id, obj)
	}
}

// embedsOwn says whether an embedded field is of a type of the notebook's.
func (e *emission) embedsOwn(obj types.Object) bool {
	t := obj.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	o, ok := t.(interface{ Obj() *types.TypeName })
	return ok && o.Obj().Parent() == e.pkg.Scope()
}

func isEmbedded(obj types.Object) bool {
	v, ok := obj.(*types.Var)
	return ok && v.Embedded()
}

func (e *emission) offset(p token.Pos) int { return e.fset.PositionFor(p, false).Offset }

func (e *emission) replace(from, to token.Pos, text string) {
	e.edits = append(e.edits, edit{e.offset(from), e.offset(to), text})
}

// insert puts text before a position.
func (e *emission) insert(at token.Pos, text string) { e.replace(at, at, text) }

// statementsEdits turns outermost declarations into assignments, and looks after
// errors that are left unhandled.
func (e *emission) statementsEdits() {
	run := e.body()
	for _, s := range run.Body.List {
		for l, ok := s.(*ast.LabeledStmt); ok; l, ok = s.(*ast.LabeledStmt) {
			s = l.Stmt
		}
		switch s := s.(type) {
		case *ast.ExprStmt:
			e.expression(s)
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE && !e.in.HasMain {
				if e.allHoisted(s.Lhs) {
					e.replace(s.TokPos, s.TokPos+2, "=")
				}
				for _, l := range s.Lhs {
					if id, ok := l.(*ast.Ident); ok {
						e.useUnkept([]*ast.Ident{id}, s.End())
					}
				}
			}
			if (s.Tok == token.DEFINE || s.Tok == token.ASSIGN) && mayFail(s.Rhs) {
				for _, l := range s.Lhs {
					e.unread(l, len(s.Lhs), s.End())
				}
			}
		case *ast.DeclStmt:
			g, ok := s.Decl.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR || e.in.HasMain {
				continue
			}
			e.declaration(g)
		}
	}
}

func (e *emission) allHoisted(lhs []ast.Expr) bool {
	for _, l := range lhs {
		id, ok := l.(*ast.Ident)
		if !ok {
			return false
		}
		obj := e.info.Defs[id]
		if obj == nil {
			obj = e.info.Uses[id]
		}
		if id.Name != "_" && e.names[obj] == "" {
			return false
		}
	}
	return true
}

func (e *emission) declaration(g *ast.GenDecl) {
	named := false
	for _, spec := range g.Specs {
		names := spec.(*ast.ValueSpec).Names
		for _, id := range names {
			if e.unkept[id] {
				e.useUnkept(names, g.End())
				return
			}
			named = named || id.Name != "_"
		}
	}
	if !named { // var () and var _ T = x may stay as they are
		return
	}
	first := g.Specs[0].Pos()
	e.replace(g.Pos(), first, strings.Repeat("\n", strings.Count(e.text[e.offset(g.Pos()):e.offset(first)], "\n")))
	if g.Rparen.IsValid() {
		e.replace(g.Rparen, g.Rparen+1, "")
	}
	for _, spec := range g.Specs {
		s := spec.(*ast.ValueSpec)
		last := s.Names[len(s.Names)-1].End()
		if len(s.Values) == 0 {
			zeros := make([]string, len(s.Names))
			for i := range zeros {
				zeros[i] = runtimeName + ".Zero[" + e.emittedType(e.info.Defs[s.Names[i]].Type()) + "]()"
			}
			e.replace(last, s.Type.End(), " = "+strings.Join(zeros, ", "))
		} else if s.Type != nil {
			e.replace(last, s.Type.End(), "")
		}
		if mayFail(s.Values) {
			for _, id := range s.Names {
				e.unread(id, len(s.Names), s.End())
			}
		}
	}
}

// mayFail says whether values come from one call, which may have failed.
func mayFail(values []ast.Expr) bool {
	if len(values) != 1 {
		return false
	}
	_, ok := ast.Unparen(values[0]).(*ast.CallExpr)
	return ok
}

var errorType = types.Universe.Lookup("error").Type()

// expression checks or shows the value of an expression that is a statement.
func (e *emission) expression(s *ast.ExprStmt) {
	call, ok := s.X.(*ast.CallExpr)
	if !ok {
		return
	}
	if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == runtimeName {
			if inner, ok := ast.Unparen(call.Args[0]).(*ast.CallExpr); ok && e.done(inner) {
				e.replace(sel.Sel.Pos(), sel.Sel.End(), "Check")
			}
			return
		}
	}
	if t := e.info.Types[call].Type; lastIsError(t) {
		e.insert(call.Pos(), runtimeName+".Check(")
		e.insert(call.End(), ")")
	}
}

func lastIsError(t types.Type) bool {
	if tuple, ok := t.(*types.Tuple); ok {
		if tuple.Len() == 0 {
			return false
		}
		t = tuple.At(tuple.Len() - 1).Type()
	}
	return t != nil && types.Identical(t, errorType)
}

// done says whether a call is made for what it does, like fmt.Println, so that
// nobody wants to see the number of bytes.
func (e *emission) done(call *ast.CallExpr) bool {
	t := e.info.Types[call].Type
	if !lastIsError(t) {
		return false
	}
	tuple, ok := t.(*types.Tuple)
	if !ok || tuple.Len() != 2 || !types.Identical(tuple.At(0).Type(), types.Typ[types.Int]) {
		return !ok // a lone error is checked, not shown
	}
	var name string
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		name = f.Sel.Name
	case *ast.Ident:
		name = f.Name
	}
	for _, prefix := range []string{"Print", "Fprint", "Write", "Scan", "Fscan", "Sscan"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// unread checks an error that a call gives, as one of several results or as err,
// and that nothing in the cell reads. n is the number of results.
func (e *emission) unread(l ast.Expr, n int, end token.Pos) {
	id, ok := l.(*ast.Ident)
	if !ok || id.Name == "_" || e.in.HasMain || n == 1 && id.Name != "err" || e.unkept[id] {
		return
	}
	obj := e.info.Defs[id]
	if obj == nil {
		obj = e.info.Uses[id]
	}
	if obj == nil || !types.Identical(obj.Type(), errorType) {
		return
	}
	assigned, deferred := map[*ast.Ident]bool{}, map[*ast.Ident]bool{}
	ast.Inspect(e.composition.file, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncLit); ok {
			ast.Inspect(f, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					deferred[id] = true
				}
				return true
			})
		}
		if a, ok := n.(*ast.AssignStmt); ok && (a.Tok == token.ASSIGN || a.Tok == token.DEFINE) {
			for _, l := range a.Lhs {
				if id, ok := l.(*ast.Ident); ok {
					assigned[id] = true
				}
			}
		}
		return true
	})
	for use, o := range e.info.Uses {
		if o == obj && !assigned[use] && (use.Pos() > end || deferred[use]) {
			return
		}
	}
	name := e.names[obj]
	if name == "" {
		name = emitted(id.Name, e.versionOf(obj))
	}
	e.insert(end, "; "+runtimeName+".Check("+name+")")
}

func (e *emission) versionOf(obj types.Object) int {
	if v := e.next.vars[obj.Name()]; v != nil && obj.Parent() == e.pkg.Scope() {
		return v.version
	}
	return 0
}

// substitutes are functions that would end the session, or that mean something
// else in one.
var substitutes = map[string]string{
	"os.Exit": "Exit", "log.Fatal": "Fatal", "log.Fatalf": "Fatalf", "log.Fatalln": "Fatalln",
	"context.Background": "Context", "context.TODO": "Context", "time.Sleep": "Sleep",
	"flag.Parse": "ParseFlags",
}

// calls looks after calls and goroutines everywhere in the cell.
func (e *emission) calls() {
	gone := map[*ast.Ident]bool{}
	ast.Inspect(e.composition.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok {
				return true
			}
			p, ok := e.info.Uses[x].(*types.PkgName)
			if !ok {
				return true
			}
			if to, ok := substitutes[p.Imported().Path()+"."+n.Sel.Name]; ok {
				e.replace(n.Pos(), n.End(), runtimeName+"."+to)
				gone[x] = true
			}
		case *ast.ForStmt:
			e.insert(n.Body.Lbrace+1, " "+runtimeName+".Poll(); ")
		case *ast.RangeStmt:
			e.insert(n.Body.Lbrace+1, " "+runtimeName+".Poll(); ")
		case *ast.GoStmt:
			if f, ok := n.Call.Fun.(*ast.FuncLit); ok {
				e.insert(f.Body.Lbrace+1, " defer "+runtimeName+".Recover(); ")
			} else if e.guardable(n.Call.Fun) {
				e.insert(n.Call.Fun.Pos(), runtimeName+".Guard(")
				e.insert(n.Call.Fun.End(), ")")
			}
		}
		return true
	})
	for id, obj := range e.info.Uses {
		if p, ok := obj.(*types.PkgName); ok && !gone[id] && id.Name != runtimeName {
			e.replace(id.Pos(), id.End(), reserve(e.used, p.Imported().Path(), p.Imported().Name()))
		}
	}
}

// guardable says whether a function is a value that can be wrapped.
func (e *emission) guardable(f ast.Expr) bool {
	tv := e.info.Types[f]
	if _, ok := tv.Type.(*types.Signature); !ok || tv.IsBuiltin() || tv.IsType() {
		return false
	}
	id, ok := f.(*ast.Ident)
	if s, isSel := f.(*ast.SelectorExpr); isSel {
		id, ok = s.Sel, true
		if s.X != nil {
			if x, isId := s.X.(*ast.Ident); isId && substitutes[x.Name+"."+s.Sel.Name] != "" {
				return false
			}
		}
	}
	if !ok {
		return true
	}
	_, generic := e.info.Instances[id]
	return !generic
}

// ownMark marks the notebook's own types in the text of a type.
const ownMark = "\x03"

var ownName = regexp.MustCompile(ownMark + `\.[\pL_][\pL\pN_]*`)

// emittedType writes a type with the emitted names of the notebook's types.
func (e *emission) emittedType(t types.Type) string {
	text := types.TypeString(t, func(p *types.Package) string {
		if p.Path() == packagePath {
			return ownMark
		}
		return reserve(e.used, p.Path(), p.Name())
	})
	return ownName.ReplaceAllStringFunc(text, func(s string) string {
		name := s[len(ownMark)+1:]
		return emitted(name, e.versions[name])
	})
}

// edited returns a part of the checked file with the edits in it.
func (e *emission) edited(start, end int) string {
	var b strings.Builder
	at := start
	for _, d := range e.edits {
		if d.start < start || d.end > end || d.start < at {
			continue
		}
		b.WriteString(e.text[at:d.start])
		b.WriteString(d.text)
		at = d.end
	}
	b.WriteString(e.text[at:end])
	return b.String()
}

// file writes the file to compile, with marks for the numbers.
func (e *emission) file() string {
	sort.SliceStable(e.edits, func(i, j int) bool { return e.edits[i].start < e.edits[j].start })
	var decls, run, after strings.Builder
	line := func(b *strings.Builder, cell, line int) {
		if cell == e.in.Number {
			fmt.Fprintf(b, "//line cell[%s]:%d:1\n", cellMark, line)
		} else {
			fmt.Fprintf(b, "//line cell[%d]:%d:1\n", cell, line)
		}
	}
	embedded := map[string]bool{}
	inits := 0
	var statements strings.Builder
	for _, p := range e.pieces {
		text := e.edited(p.start, p.end)
		switch {
		case p.decl == nil:
			line(&statements, p.cell, p.line)
			statements.WriteString(text + "\n")
		case slices.Contains(e.freshVars, p.decl):
			if patterns := embedPatterns(p.decl.text); len(patterns) > 0 {
				line(&decls, p.cell, p.line)
				decls.WriteString(text + "\n")
				e.embeds = append(e.embeds, patterns...)
				for _, name := range p.decl.names {
					embedded[name] = true
				}
			}
		case slices.Contains(e.oneShot, p.decl):
			line(&decls, p.cell, p.line)
			name := fmt.Sprintf("mainʹ%s", numberMark)
			if p.decl.key != "main" {
				inits++
				name = fmt.Sprintf("initʹ%sʹ%d", numberMark, inits)
				fmt.Fprintf(&after, "%s()\n", name)
			}
			at := nameOffset(text)
			decls.WriteString(text[:at] + name + text[at+len(p.decl.key):] + "\n")
		default:
			line(&decls, p.cell, p.line)
			decls.WriteString(text + "\n")
		}
	}
	decls.WriteString("//line gradbook:1:1\n")
	declared := map[string]bool{}
	declare := func(v *variable) {
		name := emitted(v.name, v.version)
		if declared[name] || embedded[v.name] {
			return
		}
		declared[name] = true
		fmt.Fprintf(&decls, "var %s %s\n", name, e.emittedType(v.typ))
	}
	for _, v := range e.liveVar {
		if !e.carried[v.name] {
			declare(v)
		}
	}
	for _, v := range e.vars {
		declare(v)
	}

	fmt.Fprintf(&run, "func init() { %s.Register(%s, runʹ%s) }\n\nfunc main() {}\n\n//line gradbook:1:1\nfunc runʹ%s() {\n", runtimeName, numberMark, numberMark, numberMark)
	for _, name := range e.lost {
		fmt.Fprintf(&run, "%s.Forget(%q)\n", runtimeName, name)
	}
	for _, v := range e.vars {
		name := emitted(v.name, v.version)
		if e.carried[v.name] {
			fmt.Fprintf(&run, "if p := %s.Address(%q); p != nil { %s = *(*%s)(p) }\n", runtimeName, v.name, name, e.emittedType(v.typ))
		}
		fmt.Fprintf(&run, "%s.SetVariable(%q, &%s)\n", runtimeName, v.name, name)
	}
	initialized := map[string]bool{}
	for _, i := range e.info.InitOrder {
		for _, v := range i.Lhs {
			initialized[v.Name()] = true
		}
	}
	for _, d := range e.freshVars {
		for _, name := range d.names {
			if v := e.next.vars[name]; v != nil && v.decl == d && !initialized[name] && !embedded[name] {
				fmt.Fprintf(&run, "%s = %s.Zero[%s]()\n", emitted(name, v.version), runtimeName, e.emittedType(v.typ))
			}
		}
	}
	for _, i := range e.info.InitOrder {
		lhs := make([]string, len(i.Lhs))
		for j, v := range i.Lhs {
			lhs[j] = v.Name()
			if own := e.next.vars[v.Name()]; own != nil {
				lhs[j] = emitted(v.Name(), own.version)
			}
		}
		p := e.fset.Position(i.Rhs.Pos())
		if cell, l, ok := place(p); ok {
			line(&run, cell, l)
		}
		fmt.Fprintf(&run, "%s = %s\n", strings.Join(lhs, ", "), e.edited(e.offset(i.Rhs.Pos()), e.offset(i.Rhs.End())))
	}
	run.WriteString(after.String())
	if e.in.HasMain {
		run.WriteString(runtimeName + ".ParseFlags()\n")
	}
	run.WriteString(statements.String())
	if e.in.Call != "" {
		fmt.Fprintf(&run, "//line cell[%s]:1:1\n%s()\n", cellMark, emitted(e.in.Call, e.versions[e.in.Call]))
	}
	for _, d := range e.oneShot {
		if d.key == "main" {
			fmt.Fprintf(&run, "mainʹ%s()\n", numberMark)
		}
	}
	run.WriteString("//line gradbook:2:1\n}\n")

	body := decls.String() + run.String()
	var head strings.Builder
	head.WriteString("package main\n\n")
	fmt.Fprintf(&head, "import %s %q\n", runtimeName, runtimePath)
	for _, path := range slices.Sorted(maps.Keys(e.used)) {
		if name := e.used[path]; strings.Contains(body, name+".") { // else its use is not emitted
			fmt.Fprintf(&head, "import %s %q\n", name, path)
		}
	}
	for _, path := range e.next.dots {
		if e.dotUsed(path) {
			fmt.Fprintf(&head, "import . %q\n", path)
		}
	}
	for _, path := range e.blank {
		fmt.Fprintf(&head, "import _ %q\n", path)
	}
	if len(e.embeds) > 0 && !slices.Contains(e.blank, "embed") {
		head.WriteString("import _ \"embed\"\n")
	}
	return head.String() + "\n" + body
}

func (e *emission) dotUsed(path string) bool {
	selected := map[*ast.Ident]bool{}
	ast.Inspect(e.composition.file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			selected[s.Sel] = true
		}
		return true
	})
	for id, obj := range e.info.Uses {
		if obj.Pkg() != nil && obj.Pkg().Path() == path && obj.Parent() == obj.Pkg().Scope() && !selected[id] {
			return true
		}
	}
	return false
}

// nameOffset is where the name of a function stands in its declaration.
func nameOffset(text string) int {
	const header = "package main;"
	f, err := parser.ParseFile(token.NewFileSet(), "", header+text, parser.SkipObjectResolution)
	if err != nil || len(f.Decls) != 1 {
		return strings.Index(text, "func ") + len("func ")
	}
	return int(f.Decls[0].(*ast.FuncDecl).Name.Pos()) - 1 - len(header)
}

// embedPatterns are the patterns of go:embed directives before a declaration.
func embedPatterns(text string) []string {
	var list []string
	for l := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(l), "//go:embed "); ok {
			list = append(list, strings.Fields(rest)...)
		}
	}
	return list
}
