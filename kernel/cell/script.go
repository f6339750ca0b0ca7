package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// Script makes one program of a notebook's cells, in their order.
//
// What a cell declares stands at the package's level, what it does in main. A variable
// that only main has keeps its :=. Names that mean different things in turn get numbers.
type Script struct {
	packages Packages
	sources  *sources
	state    State
	sections []section
	decls    []scriptDecl
	vars     map[string]*scriptVar // by the names of what is compiled
	order    []string
	dots     []string
	blank    []string
}

// section is a part of main, or a comment.
type section struct {
	mark    string   // what stands behind // %%
	comment []string // lines of text
	text    string
	wrapped bool            // into a function, since it may end early
	fresh   map[string]bool // the variables that are new in it
}

// scriptDecl is a declaration at the package's level.
type scriptDecl struct {
	mark    string
	kind    kind
	base    string // the type of a method
	name    string // without its version
	version int
	text    string
}

// scriptVar is a variable as the program has it.
type scriptVar struct {
	mark     string
	name     string
	version  int
	typ      string
	global   bool // some function uses it
	read     bool
	declared int // the definition, by its number, that declares it
}

// Marks in a section's text.
const (
	defineMark = "\x00define\x00" // stands for := or =, before the names, which another one ends
	checkName  = "checkʹ0"        // functions of the program itself
	vizPath    = "github.com/gradbook/gradbook/viz"
)

// NewScript returns a program without cells.
func NewScript(packages Packages) *Script {
	return &Script{packages: packages, sources: newSources(), state: NewState(), vars: map[string]*scriptVar{}}
}

// Comment adds lines of text, behind a mark such as "[markdown]".
func (s *Script) Comment(mark string, lines []string) {
	s.sections = append(s.sections, section{mark: mark, comment: lines})
}

// Add adds a cell, with comments of what it has beside Go. A mistake is one of the cell's,
// or of what no program can be.
func (s *Script) Add(c Cell, comments []string) error {
	parsed, err := parse(s.sources, c)
	if err != nil {
		return err
	}
	checked, err := parsed.Against(s.state).Check(s.packages)
	if err != nil {
		return err
	}
	if checked.usesGoNB() {
		return ErrGoNB
	}
	part := &section{mark: fmt.Sprintf("cell %d", c.Number), comment: comments, wrapped: wraps(parsed)}
	e := newEmission(checked)
	e.script = part
	e.raise()
	e.variables()
	part.wrapped = part.wrapped || len(e.unkept) > 0
	s.register(e, part)
	e.statements()
	e.rename()
	e.sortEdits()
	if len(e.embeds) > 0 {
		return &Error{[]Mistake{{Cell: c.Number, Line: 1, Column: 1, Message: "go:embed is not possible in the program of a notebook"}}}
	}
	s.declare(e, part)
	s.define(e, part)
	part.text = e.scriptBody()
	s.sections = append(s.sections, *part)
	for _, path := range e.imports.dots {
		if e.dotUsed(path) && !slices.Contains(s.dots, path) {
			s.dots = append(s.dots, path)
		}
	}
	for _, path := range e.imports.blank {
		if !slices.Contains(s.blank, path) {
			s.blank = append(s.blank, path)
		}
	}
	e.settleAll()
	s.state = e.next
	return nil
}

// wraps says whether a cell's statements may end early, or have names of their own, so that
// the program has them in a function.
func wraps(p *Parsed) (yes bool) {
	if p.cell.HasMain {
		return true
	}
	for _, s := range p.body {
		ast.Inspect(s, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.ReturnStmt, *ast.DeferStmt, *ast.LabeledStmt:
				yes = true
			}
			return !yes
		})
	}
	return yes
}

// declare adds the declarations of a cell, and earlier ones that mean something else now.
func (s *Script) declare(e *emission, part *section) {
	for _, d := range e.earlier {
		s.declareOne(e, part.mark, d)
	}
	for _, d := range e.parsed.decls {
		s.declareOne(e, part.mark, d)
	}
	for i, d := range e.parsed.once {
		id := d.node.(*ast.FuncDecl).Name
		name := e.onceName(i)
		text := e.edited(d.start, id.Pos()) + name + e.edited(id.End(), d.end)
		s.decls = append(s.decls, scriptDecl{mark: part.mark, kind: funcDecl, name: name, text: text})
		s.useIn(e, d.node, true)
	}
}

func (s *Script) declareOne(e *emission, mark string, d *decl) {
	base := d.key
	if d.base != "" {
		base = d.base
	}
	one := scriptDecl{mark: mark, kind: d.kind, base: d.base, name: d.key, version: e.next.versions[base], text: d.prefix + e.edited(d.start, d.end)}
	same := func(o scriptDecl) bool { return o.name == one.name && o.version == one.version && o.text == one.text }
	if !slices.ContainsFunc(s.decls, same) {
		s.decls = append(s.decls, one)
	}
	s.useIn(e, d.node, true)
}

// useIn notes what reads variables: a function, whose variables main cannot have for
// itself, or a statement.
func (s *Script) useIn(e *emission, n ast.Node, inFunction bool) {
	written := assigned(n)
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		v, ok := e.info.Uses[id].(*types.Var)
		if !ok || v.IsField() {
			return true
		}
		if known := s.vars[bare(e.nameOf(v))]; known != nil {
			known.read = known.read || !written[id]
			known.global = known.global || inFunction
		}
		return true
	})
}

// bare is the variable behind a reference.
func bare(ref string) string {
	return strings.TrimSuffix(strings.TrimPrefix(ref, "(*"), ")")
}

// assigned are the identifiers that a statement only writes to.
func assigned(n ast.Node) map[*ast.Ident]bool {
	written := map[*ast.Ident]bool{}
	note := func(x ast.Expr) {
		if id, ok := ast.Unparen(x).(*ast.Ident); ok {
			written[id] = true
		}
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				note(l)
			}
		case *ast.IncDecStmt:
			note(n.X)
		case *ast.RangeStmt:
			note(n.Key)
			note(n.Value)
		}
		return true
	})
	return written
}

// register notes the variables that are new in a cell.
func (s *Script) register(e *emission, part *section) {
	part.fresh = map[string]bool{}
	for _, v := range e.fresh {
		name := emitted(v.name, v.version)
		if s.vars[name] == nil {
			s.vars[name] = &scriptVar{mark: part.mark, name: v.name, version: v.version, typ: e.typeText(v.typ)}
			s.order = append(s.order, name)
			part.fresh[name] = true
		}
	}
}

// define notes which variables a := of main declares, and what its statements read.
func (s *Script) define(e *emission, part *section) {
	for _, st := range e.parsed.outermost() {
		a, ok := st.(*ast.AssignStmt)
		if !ok || a.Tok != token.DEFINE || part.wrapped || !e.allLive(a.Lhs) {
			continue
		}
		for _, l := range a.Lhs {
			if name := e.names[e.info.Defs[l.(*ast.Ident)]]; part.fresh[name] {
				s.vars[name].declared = len(s.sections) + 1
			}
		}
	}
	for _, st := range e.parsed.body {
		s.useIn(e, st, false)
	}
	for _, i := range e.info.InitOrder {
		s.useIn(e, i.Rhs, false)
	}
}
