package cell

import (
	"go/ast"
	"go/token"
	"go/types"
)

// substitutes are functions that mean something else in a session: what waits is ended
// by an interrupt.
var substitutes = map[string]string{
	"context.Background": "Context", "context.TODO": "Context", "time.Sleep": "Sleep", "flag.Parse": "ParseFlags",
}

// calls looks after calls, loops and goroutines everywhere in the file.
func (e *emission) calls() {
	for _, d := range e.earlier {
		e.callsIn(d.node)
	}
	for _, list := range [][]*decl{e.parsed.decls, e.vars, e.parsed.once} {
		for _, d := range list {
			e.callsIn(d.node)
		}
	}
	e.printing(e.parsed.body)
	for _, s := range e.parsed.body {
		e.callsIn(s)
	}
}

func (e *emission) callsIn(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if to := e.substitute(n); to != "" {
				e.consumed[n.X.(*ast.Ident)] = true
				e.replace(n.Pos(), n.End(), runtimeName+"."+to)
			}
		case *ast.BlockStmt:
			e.printing(n.List)
		case *ast.CaseClause:
			e.printing(n.Body)
		case *ast.CommClause:
			e.printing(n.Body)
		case *ast.ForStmt:
			e.insert(n.Body.Lbrace+1, " "+runtimeName+".Poll(); ")
		case *ast.RangeStmt:
			e.insert(n.Body.Lbrace+1, " "+runtimeName+".Poll(); ")
		case *ast.BranchStmt:
			if n.Tok == token.GOTO { // a loop, perhaps
				e.insert(n.Pos(), runtimeName+".Poll(); ")
			}
		case *ast.GoStmt:
			e.goroutine(n)
		case *ast.CallExpr:
			e.started(n)
		}
		return true
	})
}

// substitute is what a function of a package is replaced by; "" if it is not.
func (e *emission) substitute(s *ast.SelectorExpr) string {
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	p, ok := e.info.Uses[x].(*types.PkgName)
	if !ok {
		return ""
	}
	return substitutes[p.Imported().Path()+"."+s.Sel.Name]
}

// goroutine has a panic in a goroutine end that, and not the session.
func (e *emission) goroutine(g *ast.GoStmt) {
	if f, ok := g.Call.Fun.(*ast.FuncLit); ok {
		e.recovers(f)
	} else if e.called(g.Call) == types.Universe.Lookup("panic") {
		e.replace(g.Call.Fun.Pos(), g.Call.Fun.End(), runtimeName+".Guard(func(v any) { panic(v) })")
	} else if e.guardable(g.Call.Fun) {
		e.insert(g.Call.Fun.Pos(), runtimeName+".Guard(")
		e.insert(g.Call.Fun.End(), ")")
	}
}

func (e *emission) recovers(f *ast.FuncLit) {
	e.insert(f.Body.Lbrace+1, " defer "+runtimeName+".Recover(); ")
}

// starters call what they are given in a goroutine.
var starters = map[string]bool{
	"(*sync.WaitGroup).Go": true, "(*golang.org/x/sync/errgroup.Group).Go": true, "(*golang.org/x/sync/errgroup.Group).TryGo": true,
	"time.AfterFunc": true, "context.AfterFunc": true,
}

// started does for the functions that these are given what goroutine does for others.
func (e *emission) started(call *ast.CallExpr) {
	if f, ok := e.called(call).(*types.Func); !ok || !starters[f.FullName()] {
		return
	}
	for _, a := range call.Args {
		if f, ok := a.(*ast.FuncLit); ok {
			e.recovers(f)
		}
	}
}

// called is what a call names: a function, one of Go's own, or another thing; nil if it
// names none.
func (e *emission) called(call *ast.CallExpr) types.Object {
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return e.info.Uses[f]
	case *ast.SelectorExpr:
		return e.info.Uses[f.Sel]
	}
	return nil
}

// guardable says whether a function is a value that can be wrapped.
func (e *emission) guardable(f ast.Expr) bool {
	tv := e.info.Types[f]
	if tv.Type == nil {
		return false
	}
	if _, ok := tv.Type.Underlying().(*types.Signature); !ok || tv.IsBuiltin() || tv.IsType() {
		return false
	}
	id, ok := ast.Unparen(f).(*ast.Ident)
	if s, isSel := ast.Unparen(f).(*ast.SelectorExpr); isSel {
		if id, ok = s.Sel, true; e.substitute(s) != "" {
			return false
		}
	}
	if !ok {
		return true
	}
	_, generic := e.info.Instances[id]
	return !generic
}

// printing has Go's own print and println, which write past package os, keep their
// place among what else is written.
func (e *emission) printing(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt:
			if e.prints(s.X) {
				e.insert(s.Pos(), runtimeName+".Turn(); ")
			}
		case *ast.DeferStmt:
			if e.prints(s.Call) { // what is deferred later is done before
				e.insert(s.End(), "; defer "+runtimeName+".Turn()")
			}
		}
	}
}

func (e *emission) prints(x ast.Expr) bool {
	call, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return false
	}
	b, ok := e.called(call).(*types.Builtin)
	return ok && (b.Name() == "print" || b.Name() == "println")
}
