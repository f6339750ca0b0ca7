package cell

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
)

// Names are what a cell has to do with the names of its notebook, as far as its syntax
// tells: names of packages are among them, and who changes a variable in a function
// that is called is not seen.
type Names struct {
	// Declares are the names that live on after the cell.
	Declares []string
	// Uses are names that are not the cell's own.
	Uses []string
	// Changes are names of other cells whose values the cell may change: it assigns to
	// them or to parts of them, takes their addresses, passes them to a function or calls
	// a method of them of which it wants no result, or declares methods of them.
	Changes []string
	// Calls are the methods that it calls of values that have a name, "model.Fit" say.
	Calls []string
}

// Names reads a cell, and says what it has to do with the names of its notebook.
func (c Cell) Names() (Names, error) {
	p, err := Parse(c)
	if err != nil {
		return Names{}, err
	}
	n := namer{names: map[*[]string]map[string]bool{}}
	for _, d := range slices.Concat(p.decls, p.vars, p.once) {
		for _, name := range d.names {
			n.add(&n.Declares, name)
		}
		if d.kind == methodDecl {
			n.add(&n.Changes, d.base)
		}
	}
	for _, id := range p.defined() {
		n.add(&n.Declares, id.Name)
	}
	regions := outline(c.Text, func(int, string) {})
	n.read("package p;" + only(c.Text, regions, funcPart))
	n.read("package p;func _(){" + only(c.Text, regions, bodyPart) + "\n}")
	// What the cell declares by itself, in whatever order, it has from nobody.
	own := map[string]bool{}
	for _, d := range p.decls {
		for _, name := range d.names {
			own[name] = true
		}
	}
	n.Uses = slices.DeleteFunc(n.Uses, func(name string) bool { return own[name] })
	return n.Names, nil
}

// namer collects names, each once.
type namer struct {
	Names

	names map[*[]string]map[string]bool
	free  map[*ast.Ident]bool // of the file that is read
}

func (n *namer) add(list *[]string, name string) {
	if n.names[list] == nil {
		n.names[list] = map[string]bool{}
	}
	if name != "_" && !n.names[list][name] {
		n.names[list][name] = true
		*list = append(*list, name)
	}
}

func (n *namer) read(source string) {
	f, err := parser.ParseFile(token.NewFileSet(), "", source, 0)
	if err != nil {
		return // Parse has read it another way
	}
	n.free = map[*ast.Ident]bool{}
	for _, id := range f.Unresolved {
		n.free[id] = true
		n.add(&n.Uses, id.Name)
	}
	ast.Inspect(f, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.AssignStmt:
			for _, e := range node.Lhs {
				n.change(e)
			}
		case *ast.IncDecStmt:
			n.change(node.X)
		case *ast.RangeStmt:
			n.change(node.Key)
			n.change(node.Value)
		case *ast.UnaryExpr:
			if node.Op == token.AND {
				n.change(node.X)
			}
		case *ast.ExprStmt:
			n.statement(node.X)
		case *ast.CallExpr:
			if s, ok := node.Fun.(*ast.SelectorExpr); ok {
				if id := n.root(s.X); id != nil {
					n.add(&n.Calls, id.Name+"."+s.Sel.Name)
				}
			}
		}
		return true
	})
}

// statement reads a call whose results nobody wants.
func (n *namer) statement(e ast.Expr) {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return
	}
	if s, ok := call.Fun.(*ast.SelectorExpr); ok {
		n.change(s.X)
	}
	for _, a := range call.Args {
		n.change(a)
	}
}

func (n *namer) change(e ast.Expr) {
	if id := n.root(e); id != nil {
		n.add(&n.Changes, id.Name)
	}
}

// root is the name with which an expression begins, if it is not the cell's own.
func (n *namer) root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			if n.free[x] {
				return x
			}
			return nil
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}
