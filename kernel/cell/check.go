package cell

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

func scannerErrors(err error) scanner.ErrorList {
	var list scanner.ErrorList
	if errors.As(err, &list) {
		return list
	}
	return scanner.ErrorList{{Msg: err.Error()}}
}

// place reads a position that a line directive has set.
func place(p token.Position) (cell, line int, ok bool) {
	name := p.Filename
	at := strings.LastIndex(name, "cell[")
	if at < 0 {
		return 0, 0, false
	}
	for _, r := range name[at+len("cell["):] {
		if r < '0' || r > '9' {
			break
		}
		cell = cell*10 + int(r-'0')
	}
	return cell, p.Line, true
}

// check writes the file and type-checks it.
func (c *composition) check() error {
	c.reach()
	c.write()
	c.fset = token.NewFileSet()
	var err error
	c.file, err = parser.ParseFile(c.fset, "cell.go", c.text, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		out := &Error{}
		for _, e := range scannerErrors(err) {
			cell, line, ok := place(e.Pos)
			if !ok {
				cell, line = c.in.Number, strings.Count(c.in.Source+c.in.Main, "\n")+1
			}
			out.List = append(out.List, Mistake{cell, line, e.Pos.Column, e.Msg})
		}
		return out
	}
	locals := map[token.Pos]bool{}
	c.defined(func(id *ast.Ident) { locals[id.Pos()] = true })
	c.info = &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Instances: map[*ast.Ident]types.Instance{},
	}
	out, again := &Error{}, false
	conf := types.Config{
		Importer: c.notebook.packages,
		Error: func(err error) {
			var e types.Error
			if !errors.As(err, &e) {
				return
			}
			if strings.HasPrefix(e.Msg, "declared and not used") && locals[e.Pos] {
				return
			}
			if strings.Contains(e.Msg, "imported and not used") || strings.Contains(e.Msg, "imported as") && strings.Contains(e.Msg, "not used") {
				return
			}
			if c.show && strings.Contains(e.Msg, "(no value) used as value") && c.inShow(e.Pos) {
				c.show, again = false, true
				return
			}
			if name, ok := strings.CutPrefix(e.Msg, "undefined: "); ok && !c.hoistUp[name] && c.localNames()[name] && !c.inRun(e.Pos) {
				c.hoistUp[name], again = true, true
				return
			}
			p := c.fset.Position(e.Pos)
			if cell, line, ok := place(p); ok {
				out.List = append(out.List, Mistake{cell, line, p.Column, strings.ReplaceAll(e.Msg, "ʹ", "")})
			} else {
				out.List = append(out.List, Mistake{c.in.Number, 1, 1, e.Msg})
			}
		},
	}
	c.pkg, _ = conf.Check(packagePath, c.fset, []*ast.File{c.file}, c.info)
	if again {
		return errAgain
	}
	if len(out.List) == 0 {
		return nil
	}
	if c.hoistMore() || c.dropBroken(out.List) {
		return errAgain
	}
	return out
}

// hoistMore makes outermost variables that the cell's functions use variables of
// the package, and says whether there was one that was not yet.
func (c *composition) hoistMore() (more bool) {
	locals := c.localNames()
	for _, d := range append(slices.Clone(c.fresh), c.oneShot...) {
		for name := range d.uses {
			if locals[name] && !c.hoistUp[name] && c.hoisted(name) != nil {
				c.hoistUp[name], more = true, true
			}
		}
	}
	return more
}

// dropBroken forgets what does not fit a type that has changed: methods and
// initial values of earlier cells. It does so only if nothing else is wrong.
func (c *composition) dropBroken(list []Mistake) bool {
	var broken []*decl
	for _, m := range list {
		found := false
		for _, p := range c.pieces {
			if p.decl == nil || p.cell != m.Cell || m.Line < p.line || m.Line > p.line+strings.Count(p.decl.text, "\n") {
				continue
			}
			method := p.decl.kind == methodDecl && c.layout[p.decl.base] && !slices.Contains(c.fresh, p.decl)
			if method || slices.Contains(c.again, p.decl) {
				found = true
				if !slices.Contains(broken, p.decl) {
					broken = append(broken, p.decl)
				}
			}
		}
		if !found {
			return false
		}
	}
	slices.SortFunc(broken, func(a, b *decl) int { // so that the notes come in one order
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
	})
	for _, d := range broken {
		if d.kind == methodDecl {
			c.next.drop(d)
			c.notes = append(c.notes, fmt.Sprintf("%s is gone: it does not fit the new %s", d.key, d.base))
			continue
		}
		c.freshVars = slices.DeleteFunc(c.freshVars, func(v *decl) bool { return v == d })
		c.again = slices.DeleteFunc(c.again, func(v *decl) bool { return v == d })
		names := strings.Join(d.names, ", ")
		c.notes = slices.DeleteFunc(c.notes, func(n string) bool { return strings.HasPrefix(n, names+" is initialised again") })
		c.notes = append(c.notes, fmt.Sprintf("%s is gone: its initial value does not fit the changed type", names))
		c.lost = append(c.lost, d.names...)
	}
	return true
}

// body returns the function with the cell's statements.
func (c *composition) body() *ast.FuncDecl {
	if c.file == nil {
		return nil
	}
	for _, d := range c.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "runʹ" {
			return f
		}
	}
	return nil
}

// outermost are the cell's statements, without their labels.
func (c *composition) outermost() []ast.Stmt {
	run := c.body()
	if run == nil {
		return nil
	}
	list := slices.Clone(run.Body.List)
	for i := range list {
		for l, ok := list[i].(*ast.LabeledStmt); ok; l, ok = list[i].(*ast.LabeledStmt) {
			list[i] = l.Stmt
		}
	}
	return list
}

func (c *composition) inRun(p token.Pos) bool {
	f := c.body()
	return f != nil && f.Pos() <= p && p < f.End()
}

func (c *composition) inShow(p token.Pos) bool {
	f := c.body()
	if f == nil || len(f.Body.List) == 0 {
		return false
	}
	last := f.Body.List[len(f.Body.List)-1]
	return last.Pos() <= p && p < last.End()
}

// defined calls f for each identifier that a statement at the outermost level
// declares.
func (c *composition) defined(f func(id *ast.Ident)) {
	if c.in.HasMain {
		return
	}
	for _, s := range c.outermost() {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				for _, e := range s.Lhs {
					if id, ok := e.(*ast.Ident); ok {
						f(id)
					}
				}
			}
		case *ast.DeclStmt:
			if g, ok := s.Decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, spec := range g.Specs {
					for _, id := range spec.(*ast.ValueSpec).Names {
						f(id)
					}
				}
			}
		}
	}
}

func (c *composition) localNames() map[string]bool {
	names := map[string]bool{}
	c.defined(func(id *ast.Ident) { names[id.Name] = true })
	return names
}

// hoisted is the type of an outermost variable, as the last check found it.
func (c *composition) hoisted(name string) (t types.Type) {
	if c.file == nil || c.info == nil {
		return nil
	}
	c.defined(func(id *ast.Ident) {
		if id.Name == name && c.info.Defs[id] != nil {
			t = c.info.Defs[id].Type()
		}
	})
	return t
}
