package cell

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

// defined is in the place of := while it is not known which variables main declares.
func (e *emission) defined(s *ast.AssignStmt) string {
	names := make([]string, len(s.Lhs))
	for i, l := range s.Lhs {
		if names[i] = e.liveName(l.(*ast.Ident)); names[i] == "" {
			names[i] = "_"
		}
	}
	return defineMark + strings.Join(names, " ") + defineMark
}

func (e *emission) liveName(id *ast.Ident) string {
	if obj := e.info.Defs[id]; obj != nil {
		return e.names[obj]
	}
	return e.nameOf(e.info.Uses[id])
}

// checkText is a statement that ends the program with an error, if there is one.
func (e *emission) checkText(name string) string { return "\n" + checkName + "(" + name + ")" }

// zeroed gives variables the zero values of their types.
func (e *emission) zeroed(ids []*ast.Ident) string {
	var all []string
	for _, id := range ids {
		if obj := e.info.Defs[id]; obj != nil && id.Name != "_" && !e.script.fresh[e.nameOf(obj)] {
			all = append(all, e.nameOf(obj)+" = *new("+e.typeText(obj.Type())+")")
		}
	}
	return strings.Join(all, "\n")
}

// scriptExpression prints the value of a cell's last expression as a notebook shows it, and
// looks at an error that nobody else does.
func (e *emission) scriptExpression(s *ast.ExprStmt) {
	call, isCall := ast.Unparen(s.X).(*ast.CallExpr)
	t := e.info.Types[s.X].Type
	switch {
	case s.X == e.result && (!isCall || !e.done(call)):
		e.insert(s.X.Pos(), e.printer(t))
		e.insert(s.X.End(), ")")
	case isCall && lastIsError(t) && !e.prints(call) && !e.toStdout(call):
		if tuple, ok := t.(*types.Tuple); ok && tuple.Len() > 1 {
			e.insert(s.X.Pos(), "if "+strings.Repeat("_, ", tuple.Len()-1)+"err := ")
			e.insert(s.X.End(), "; err != nil {\n"+checkName+"(err)\n}")
			return
		}
		e.insert(s.X.Pos(), checkName+"(")
		e.insert(s.X.End(), ")")
	}
}

// toStdout says whether a call is fmt's, of whose error no program takes notice.
func (e *emission) toStdout(call *ast.CallExpr) bool {
	f, ok := e.called(call).(*types.Func)
	return ok && e.isFmt(call) && strings.HasPrefix(f.Name(), "Print")
}

// printer is the beginning of a call that prints a value of a type: fmt's, where that is all
// there is to see, or else viz's.
func (e *emission) printer(t types.Type) string {
	alias := e.next.alias("fmt", "fmt")
	if methods := types.NewMethodSet(t); methods.Lookup(nil, "String") != nil || methods.Lookup(nil, "Error") != nil {
		if methods.Lookup(nil, "Bundle") == nil && !types.IsInterface(t) {
			return alias + ".Println("
		}
	}
	if e.isPlain(t, 0) {
		if _, basic := t.Underlying().(*types.Basic); basic {
			return alias + ".Println("
		}
		return alias + ".Printf(\"%+v\\n\", "
	}
	return e.next.alias(vizPath, "viz") + ".Print("
}

// isPlain says whether all that there is to see of a type is what fmt prints.
func (e *emission) isPlain(t types.Type, depth int) bool {
	if named, ok := t.(*types.Named); ok && named.Obj().Pkg() != nil && named.Obj().Pkg() != e.pkg {
		if _, basic := t.Underlying().(*types.Basic); !basic {
			return false
		}
	}
	if types.NewMethodSet(t).Lookup(nil, "Bundle") != nil || depth > 5 {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() != types.UntypedNil
	case *types.Slice:
		return e.isPlain(u.Elem(), depth+1)
	case *types.Array:
		return e.isPlain(u.Elem(), depth+1)
	case *types.Map:
		return e.isPlain(u.Key(), depth+1) && e.isPlain(u.Elem(), depth+1)
	case *types.Struct:
		for f := range u.Fields() {
			if !e.isPlain(f.Type(), depth+1) {
				return false
			}
		}
		return true
	}
	return false
}

// scriptBody is what the cell does: its text without what is declared at the package's
// level.
func (e *emission) scriptBody() string {
	var b strings.Builder
	for _, d := range e.vars {
		for _, name := range d.names {
			if v := e.next.vars[name]; v != nil && !e.initialized(name) && e.before.vars[name] != nil {
				fmt.Fprintf(&b, "%s = *new(%s)\n", v.ref(), e.typeText(v.typ))
			}
		}
	}
	for _, i := range e.info.InitOrder {
		b.WriteString(e.initialization(i) + "\n")
	}
	for i, d := range e.parsed.once {
		if d.key != "main" {
			b.WriteString(e.onceName(i) + "()\n")
		}
	}
	b.WriteString(e.withoutDecls())
	if name := e.parsed.cell.Call; name != "" {
		fmt.Fprintf(&b, "\n%s()", emitted(name, e.next.versions[name]))
	}
	for i, d := range e.parsed.once {
		if d.key == "main" {
			b.WriteString("\n" + e.onceName(i) + "()")
		}
	}
	return strings.Trim(b.String(), "\n")
}

// onceName is that of the i-th function that runs once, init or main, in the program.
func (e *emission) onceName(i int) string {
	if e.parsed.once[i].key == "main" {
		return fmt.Sprintf("main%dʹ0", e.parsed.cell.Number)
	}
	return fmt.Sprintf("init%dʹ%d", e.parsed.cell.Number, i)
}

// withoutDecls is the cell's text with the edits, and without declarations and imports.
func (e *emission) withoutDecls() string {
	u := e.parsed.unit
	var spans [][2]int
	for _, s := range e.parsed.taken {
		_, from := e.parsed.sources.place(s[0])
		_, to := e.parsed.sources.place(s[1])
		spans = append(spans, [2]int{from, min(to, len(u.text))})
	}
	text, from := u.text, 0
	if e.parsed.cell.HasMain {
		text, from = text[:e.parsed.cell.Main], e.parsed.cell.Main
	}
	for _, r := range outline(text, func(int, string) {}) {
		if r.part == importPart || r.part == packagePart {
			spans = append(spans, [2]int{r.start, r.end})
		}
	}
	edits := slices.DeleteFunc(slices.Clone(e.edits[u]), func(d edit) bool {
		return slices.ContainsFunc(spans, func(s [2]int) bool { return s[0] <= d.start && d.end <= s[1] })
	})
	for _, s := range spans {
		edits = append(edits, edit{start: s[0], end: s[1]})
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	var b strings.Builder
	for _, d := range edits {
		if d.start < from {
			continue
		}
		b.WriteString(u.text[from:d.start] + d.text)
		from = d.end
	}
	return b.String() + u.text[from:]
}
