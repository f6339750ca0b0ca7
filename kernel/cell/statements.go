package cell

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// useUnkept keeps the compiler from complaining of a variable that nobody reads.
func (e *emission) useUnkept(ids []*ast.Ident, end token.Pos) {
	for _, id := range ids {
		if e.unkept[id] && id.Name != "_" && e.info.Defs[id] != nil {
			e.insert(end, "; _ = "+id.Name)
		}
	}
}

// statementsEdits turns outermost declarations into assignments, and looks after
// errors that are left unhandled.
func (e *emission) statementsEdits() {
	for _, s := range e.outermost() {
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
	ast.Inspect(e.file, func(n ast.Node) bool {
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
		name = id.Name
		if v := e.next.vars[name]; v != nil && obj.Parent() == e.pkg.Scope() {
			name = v.ref()
		}
	}
	e.insert(end, "; "+runtimeName+".Check("+name+")")
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
	ast.Inspect(e.file, func(n ast.Node) bool {
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
	alias := reservedAliases(e.used)
	for id, obj := range e.info.Uses {
		if p, ok := obj.(*types.PkgName); ok && !gone[id] && id.Name != runtimeName {
			e.replace(id.Pos(), id.End(), alias(p.Imported()))
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
			if x, isID := s.X.(*ast.Ident); isID && substitutes[x.Name+"."+s.Sel.Name] != "" {
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
