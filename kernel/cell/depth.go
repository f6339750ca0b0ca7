package cell

import (
	"go/ast"
	"go/types"
)

// maxDepth bounds how deep types may be in one another: the time that go/types and the
// compiler take grows with its square, and with more.
const maxDepth = 500

// tooDeep is a type of the cell that nobody should be asked to check; nil if there is
// none.
func (c *Change) tooDeep() *Error {
	mistake := func(n ast.Node) *Error {
		return &Error{[]Mistake{at(c.parsed.sources.fset, n.Pos(), c.parsed.cell.Number, "the type is too deep")}}
	}
	nodes := []ast.Node{}
	for _, list := range [][]*decl{c.parsed.decls, c.parsed.vars, c.parsed.once} {
		for _, d := range list {
			nodes = append(nodes, d.node)
		}
	}
	for _, s := range c.parsed.body {
		nodes = append(nodes, s)
	}
	for _, n := range nodes {
		if deep := nested(n); deep != nil {
			return mistake(deep)
		}
	}
	chains := map[string]int{}
	for _, d := range c.parsed.decls {
		if d.kind == typeDecl && c.chain(d.key, chains) > maxDepth {
			return mistake(d.node)
		}
	}
	return nil
}

// nested finds a type that is written too deep.
func nested(n ast.Node) (deep ast.Node) {
	depth := 0
	var within []bool // whether the nodes around are types
	ast.Inspect(n, func(n ast.Node) bool {
		if n == nil {
			if last := len(within) - 1; last >= 0 {
				if within[last] {
					depth--
				}
				within = within[:last]
			}
			return true
		}
		isType := false
		switch n.(type) {
		case *ast.StarExpr, *ast.ArrayType, *ast.MapType, *ast.ChanType, *ast.FuncType, *ast.StructType, *ast.InterfaceType, *ast.IndexExpr, *ast.IndexListExpr:
			isType = true
			if depth++; depth > maxDepth && deep == nil {
				deep = n
			}
		}
		within = append(within, isType)
		return deep == nil
	})
	return deep
}

// chain is how many types one stands on, by their names.
func (c *Change) chain(name string, known map[string]int) int {
	n, ok := known[name]
	if ok {
		return n
	}
	known[name] = 0 // a type within itself counts once
	if d := c.after.owners[name]; d != nil && d.kind == typeDecl {
		for used := range d.uses {
			n = max(n, c.chain(used, known)+1)
		}
	}
	known[name] = n
	return n
}

// depths are those of types: how deep others are in one another that they are made of.
type depths map[types.Type]int

func (known depths) of(t types.Type) int {
	n, ok := known[t]
	if !ok {
		known[t] = 0 // a type within itself counts once
		for part := range parts(t) {
			n = max(n, known.of(part)+1)
		}
		known[t] = n
	}
	return n
}
