package cell

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// statements turns outermost declarations into assignments, and looks after errors
// that are left unhandled.
func (e *emission) statements() {
	list := e.parsed.outermost()
	for i, s := range list {
		if _, declares := s.(*ast.DeclStmt); i > 0 && !declares && e.script == nil && e.mayWait(list[i-1]) {
			e.insert(e.parsed.body[i].Pos(), runtimeName+".Poll(); ") // before its labels
		}
		switch s := s.(type) {
		case *ast.ExprStmt:
			if e.script != nil {
				e.scriptExpression(s)
				continue
			}
			e.expression(s)
		case *ast.AssignStmt:
			e.assignment(s)
		case *ast.DeclStmt:
			if g := genDecl(s); g.Tok == token.VAR && !e.parsed.cell.HasMain {
				e.declaration(g)
			}
		}
	}
}

// mayWait says whether a statement may wait for something else, so that an interrupt
// leaves its cell behind. If it goes on one day, the cell's other statements must not.
func (e *emission) mayWait(s ast.Stmt) (waits bool) {
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.GoStmt:
			return false
		case *ast.SendStmt, *ast.SelectStmt, *ast.RangeStmt:
			waits = true
		case *ast.UnaryExpr:
			waits = waits || n.Op == token.ARROW
		case *ast.CallExpr:
			tv := e.info.Types[n.Fun]
			waits = waits || !tv.IsBuiltin() && !tv.IsType() && !e.prints(n) && !e.isFmt(n)
		}
		return !waits
	})
	return waits
}

// isFmt says whether a call is of package fmt.
func (e *emission) isFmt(call *ast.CallExpr) bool {
	f, ok := e.called(call).(*types.Func)
	return ok && f.Pkg() != nil && f.Pkg().Path() == "fmt"
}

func (e *emission) assignment(s *ast.AssignStmt) {
	if s.Tok == token.DEFINE && !e.parsed.cell.HasMain {
		if live := e.allLive(s.Lhs); live && e.script != nil {
			e.replace(s.TokPos, s.TokPos+2, e.defined(s))
		} else if live {
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
			e.unread(l, len(s.Lhs), s)
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

// allLive says whether all variables of a := are the package's.
func (e *emission) allLive(lhs []ast.Expr) bool {
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

// declaration turns var a, b T = x, y into a, b = x, y.
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
	u, from := e.parsed.sources.place(g.Pos())
	_, to := e.parsed.sources.place(g.Specs[0].Pos())
	e.replace(g.Pos(), g.Specs[0].Pos(), strings.Repeat("\n", strings.Count(u.text[from:to], "\n")))
	if g.Rparen.IsValid() {
		e.replace(g.Rparen, g.Rparen+1, "")
	}
	for _, spec := range g.Specs {
		e.assigned(spec.(*ast.ValueSpec))
	}
}

func (e *emission) assigned(s *ast.ValueSpec) {
	last := s.Names[len(s.Names)-1].End()
	if len(s.Values) == 0 {
		var cleared []string
		for _, id := range s.Names {
			if id.Name != "_" {
				cleared = append(cleared, "&"+e.nameOf(e.info.Defs[id]))
			}
		}
		text := e.clear(cleared)
		if e.script != nil {
			text = e.zeroed(s.Names)
		}
		e.replace(s.Names[0].Pos(), s.Type.End(), text)
	} else if s.Type != nil {
		e.replace(last, s.Type.End(), "")
	}
	if mayFail(s.Values) {
		for _, id := range s.Names {
			e.unread(id, len(s.Names), s)
		}
	}
}

// clear is a call that gives variables the zero values of their types.
func (e *emission) clear(pointers []string) string {
	if len(pointers) == 0 {
		return ""
	}
	return runtimeName + ".Clear(" + strings.Join(pointers, ", ") + ")"
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
	call, isCall := ast.Unparen(s.X).(*ast.CallExpr)
	var wrap string
	switch {
	case s.X == e.result && (!isCall || !e.done(call)):
		wrap = "Show"
	case isCall && lastIsError(e.info.Types[call].Type):
		wrap = "Check"
	default:
		return
	}
	e.insert(s.X.Pos(), runtimeName+"."+wrap+"(")
	e.insert(s.X.End(), ")")
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

// done says whether a call is made for what it does, like fmt.Println, so that nobody
// wants to see the number of bytes.
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

// unread checks an error that a call gives, as one of several results or as err, and
// that nothing in the cell reads. n is the number of results.
func (e *emission) unread(l ast.Expr, n int, s ast.Node) {
	id, ok := l.(*ast.Ident)
	if !ok || id.Name == "_" || e.parsed.cell.HasMain || n == 1 && id.Name != "err" || e.unkept[id] {
		return
	}
	obj := e.info.Defs[id]
	if obj == nil {
		obj = e.info.Uses[id]
	}
	if obj == nil || !types.Identical(obj.Type(), errorType) || e.isRead(obj, s.End()) {
		return
	}
	name := e.nameOf(obj)
	if name == "" {
		name = id.Name
	}
	if e.script != nil {
		e.insert(s.End(), e.checkText(name))
		return
	}
	// The error is the statement's, wherever its last line is.
	e.insert(s.End(), "; "+e.inline(s.Pos())+runtimeName+".Check("+name+")")
}

// isRead says whether anything behind a position, or a function that may run then,
// reads a variable.
func (e *emission) isRead(obj types.Object, end token.Pos) bool {
	e.findReads()
	for use, o := range e.info.Uses {
		if o == obj && !e.written[use] && (use.Pos() > end || e.deferred[use]) {
			return true
		}
	}
	return e.hoisted[obj.Name()] != nil
}

// findReads notes which identifiers are only assigned to, and which are in functions.
func (e *emission) findReads() {
	if e.written != nil {
		return
	}
	e.written, e.deferred = map[*ast.Ident]bool{}, map[*ast.Ident]bool{}
	for _, s := range e.parsed.body {
		ast.Inspect(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				ast.Inspect(n, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok {
						e.deferred[id] = true
					}
					return true
				})
			case *ast.AssignStmt:
				for _, l := range n.Lhs {
					if id, ok := l.(*ast.Ident); ok && (n.Tok == token.ASSIGN || n.Tok == token.DEFINE) {
						e.written[id] = true
					}
				}
			}
			return true
		})
	}
}
