package cell

import (
	"cmp"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// judge tells mistakes from what is none in a notebook, and from earlier declarations
// that no longer fit. These count only if nothing else is wrong.
func (k *checker) judge() (mistakes []Mistake, broken []*decl) {
	if len(k.mistakes) > 0 {
		return k.mistakes, nil
	}
	k.result = k.lastExpression()
	kept := map[token.Pos]bool{} // variables that live on need not be used
	for _, id := range k.parsed.defined() {
		kept[id.Pos()] = true
	}
	for _, e := range k.errs {
		if more, ok := strings.CutPrefix(e.Msg, "\t"); ok && len(mistakes) > 0 { // where else the last one is
			last := &mistakes[len(mistakes)-1]
			at := at(k.parsed.sources.fset, e.Pos, k.parsed.cell.Number, more)
			last.Message += "\n\t" + (&Error{[]Mistake{at}}).Error()
			continue
		}
		switch c := codeOf(e); {
		case c == unusedImport, c == unusedVar && kept[e.Pos], c == unusedExpr && k.isResult(e.Pos):
			continue
		}
		if d := k.misfit(e.Pos); d != nil && !slices.Contains(broken, d) {
			broken = append(broken, d)
		} else if d == nil {
			mistakes = append(mistakes, at(k.parsed.sources.fset, e.Pos, k.parsed.cell.Number, k.message(e)))
		}
	}
	mistakes = append(mistakes, k.tooMuch()...)
	if len(mistakes) > 0 {
		return mistakes, nil
	}
	slices.SortFunc(broken, func(a, b *decl) int { // so that the notes come in one order
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
	})
	return nil, broken
}

// message is what a mistake is, and why, where the notebook knows.
func (k *checker) message(e types.Error) string {
	text := strings.ReplaceAll(e.Msg, "ʹp.", ".")
	if name, ok := strings.CutPrefix(text, "undefined: "); ok && codeOf(e) == undeclared {
		if why := k.before.unkept[name]; why != "" {
			return text + " (" + why + ")"
		}
	}
	if hint := k.hint(e); hint != "" {
		text += "; " + hint
	}
	return text
}

// misfit is the declaration of an earlier cell at a position, if it may be left out.
func (k *checker) misfit(pos token.Pos) *decl {
	for _, d := range append(slices.Clone(k.earlier), k.again...) {
		if d.node.Pos() <= pos && pos < d.node.End() && (d.kind == methodDecl && k.layout[d.base] || slices.Contains(k.again, d)) {
			return d
		}
	}
	return nil
}

// lastExpression is the expression at the cell's end, if there is one with a value.
func (k *checker) lastExpression() ast.Expr {
	p := k.parsed
	if p.cell.HasMain || len(p.body) == 0 {
		return nil
	}
	s, ok := p.body[len(p.body)-1].(*ast.ExprStmt)
	if !ok {
		return nil
	}
	tv, ok := k.info.Types[s.X]
	if ok && tv.IsVoid() {
		return nil
	}
	if u, isUnary := ast.Unparen(s.X).(*ast.UnaryExpr); isUnary && u.Op == token.ARROW && ok && isEmptyStruct(tv.Type) {
		return nil // received to wait for it
	}
	return s.X
}

func isEmptyStruct(t types.Type) bool {
	s, ok := t.Underlying().(*types.Struct)
	return ok && s.NumFields() == 0
}

// isResult says whether a position is of the cell's last expression, and not of a
// function in it.
func (k *checker) isResult(pos token.Pos) bool {
	if k.result == nil || pos < k.result.Pos() || pos >= k.result.End() {
		return false
	}
	inside := false
	ast.Inspect(k.result, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncLit); ok {
			inside = inside || f.Body.Pos() <= pos && pos < f.Body.End()
		}
		return true
	})
	return !inside
}

// tooMuch are mistakes that only the compiler would find.
func (k *checker) tooMuch() (list []Mistake) {
	if k.result != nil {
		tv := k.info.Types[k.result]
		b, ok := tv.Type.(*types.Basic)
		if ok && tv.Value != nil && tv.Value.Kind() == constant.Int && b.Kind() == types.UntypedInt {
			if _, exact := constant.Int64Val(tv.Value); !exact {
				list = append(list, at(k.parsed.sources.fset, k.result.Pos(), k.parsed.cell.Number, "the constant "+tv.Value.ExactString()+" overflows int; give it a type, such as float64"))
			}
		}
	}
	known := depths{}
	for id, obj := range k.info.Defs {
		if obj != nil && obj.Type() != nil && known.of(obj.Type()) > maxDepth {
			list = append(list, at(k.parsed.sources.fset, id.Pos(), k.parsed.cell.Number, "the type of "+id.Name+" is too deep"))
		}
	}
	return list
}
