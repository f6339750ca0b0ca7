package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// directive is where a position is: a cell that is compiled again under another number
// is the same file.
func (e *emission) position(pos token.Pos) token.Position {
	p := e.parsed.sources.fset.Position(pos)
	if p.Filename == fileName(e.parsed.cell.Number) {
		p.Filename = "cell[" + cellMark + "]"
	}
	return p
}

func (e *emission) line(pos token.Pos) string   { return lineDirective(e.position(pos)) }
func (e *emission) inline(pos token.Pos) string { return inlineDirective(e.position(pos)) }

// render writes the file to compile.
func (e *emission) render() string {
	body := e.renderDecls() + e.renderVars() + e.renderRun()
	var b strings.Builder
	b.WriteString("package main\n\n")
	if strings.Contains(body, runtimeName+".") {
		fmt.Fprintf(&b, "import %s %q\n", runtimeName, runtimePath)
	}
	for _, path := range slices.Sorted(maps.Keys(e.used)) {
		fmt.Fprintf(&b, "import %s %q\n", e.next.alias(path, ""), path)
	}
	for _, path := range e.imports.dots {
		if e.dotUsed(path) {
			fmt.Fprintf(&b, "import . %q\n", path)
		}
	}
	for _, path := range e.imports.blank {
		fmt.Fprintf(&b, "import _ %q\n", path)
	}
	if len(e.embeds) > 0 && !slices.Contains(e.imports.blank, "embed") {
		b.WriteString("import _ \"embed\"\n")
	}
	return b.String() + "\n" + body
}

// renderDecls writes the types, constants, functions and methods.
func (e *emission) renderDecls() string {
	var b strings.Builder
	for _, d := range e.earlier {
		b.WriteString(e.line(d.start))
		if len(d.locals) > 0 && d.kind != varDecl {
			// Its types are those of when it was compiled first, and so must be its code.
			b.WriteString("//go:noinline\n")
		}
		b.WriteString(e.edited(d.start, d.end) + "\n\n")
	}
	for _, d := range e.parsed.decls {
		b.WriteString(e.line(d.start) + d.prefix + e.edited(d.start, d.end) + "\n\n")
	}
	inits := 0
	for _, d := range e.parsed.once {
		name := "mainʹ" + libraryMark
		if d.key != "main" {
			inits++
			name = "initʹ" + libraryMark + "ʹ" + itoa(inits)
		}
		id := d.node.(*ast.FuncDecl).Name
		b.WriteString(e.line(d.start) + e.edited(d.start, id.Pos()) + name + e.edited(id.End(), d.end) + "\n\n")
	}
	return b.String()
}

// renderVars declares the variables that the file mentions.
func (e *emission) renderVars() string {
	var b strings.Builder
	for _, d := range e.vars {
		if len(d.embeds) > 0 {
			b.WriteString(e.line(d.start) + d.prefix + e.edited(d.start, d.end) + "\n\n")
		}
	}
	b.WriteString("//line gradbook:1:1\n")
	declared := map[string]bool{}
	declare := func(v *variable) {
		name := emitted(v.name, v.version)
		if declared[name] || e.embedded[v.name] {
			return
		}
		declared[name] = true
		pointer := ""
		if v.indirect {
			pointer = "*"
		}
		fmt.Fprintf(&b, "var %s %s%s\n", name, pointer, e.typeText(v.typ))
	}
	for _, v := range e.earlierVars {
		if e.carried[v.name] == nil {
			declare(v)
		}
	}
	for _, v := range e.fresh {
		declare(v)
	}
	if len(declared) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

// renderRun writes what happens when the cell runs.
func (e *emission) renderRun() string {
	var b strings.Builder
	fmt.Fprintf(&b, "func Runʹ%s() {\n", libraryMark)
	e.renderMoves(&b)
	e.renderInits(&b)
	inits := 0
	for _, d := range e.parsed.once {
		if d.key != "main" {
			inits++
			fmt.Fprintf(&b, "initʹ%sʹ%d()\n", libraryMark, inits)
		}
	}
	if e.parsed.cell.HasMain {
		b.WriteString(runtimeName + ".ParseFlags()\n")
	}
	for _, s := range e.parsed.body {
		b.WriteString(e.line(s.Pos()) + e.edited(s.Pos(), s.End()) + "\n")
	}
	if name := e.parsed.cell.Call; name != "" {
		fmt.Fprintf(&b, "//line cell[%s]:1:1\n%s()\n", cellMark, emitted(name, e.next.versions[name]))
	}
	for _, d := range e.parsed.once {
		if d.key == "main" {
			b.WriteString("mainʹ" + libraryMark + "()\n")
		}
	}
	b.WriteString("//line gradbook:2:1\n}\n")
	return b.String()
}

// renderMoves tells the session of types that got methods, and of variables that are
// gone, have moved or are new.
func (e *emission) renderMoves(b *strings.Builder) {
	var superseded, present []string
	for _, name := range slices.Sorted(maps.Keys(e.methods)) {
		if !e.supersedes(name) {
			continue
		}
		superseded = append(superseded, strconv.Quote(emitted(name, e.before.versions[name])), strconv.Quote(emitted(name, e.next.versions[name])))
		if t, ok := e.pkg.Scope().Lookup(name).(*types.TypeName); !ok || typeParams(t.Type()) == 0 {
			present = append(present, "(*"+emitted(name, e.next.versions[name])+")(nil)")
		}
	}
	for _, t := range e.instances() {
		present = append(present, "(*"+e.typeText(t)+")(nil)")
	}
	if len(superseded) > 0 {
		fmt.Fprintf(b, "%s.Supersede([]any{%s}, %s)\n", runtimeName, strings.Join(present, ", "), strings.Join(superseded, ", "))
	}
	for _, name := range e.lost {
		fmt.Fprintf(b, "%s.Forget(%q)\n", runtimeName, name)
	}
	for _, v := range e.fresh {
		if e.carried[v.name] == v {
			fmt.Fprintf(b, "%s = (*%s)(%s.Address(%q))\n", emitted(v.name, v.version), e.typeText(v.typ), runtimeName, v.name)
		}
		fmt.Fprintf(b, "%s.SetVariable(%q, &%s)\n", runtimeName, v.name, v.ref())
	}
}

// renderInits gives the package's variables their values, in the order that Go has for
// them.
func (e *emission) renderInits(b *strings.Builder) {
	for _, d := range e.vars {
		for _, name := range d.names {
			if v := e.next.vars[name]; v != nil && !e.initialized(name) && !e.embedded[name] {
				b.WriteString(e.clear([]string{"&" + v.ref()}) + "\n")
			}
		}
	}
	for _, i := range e.info.InitOrder {
		b.WriteString(e.line(i.Rhs.Pos()) + e.initialization(i) + "\n")
	}
}

// initialized says whether a variable of the package has an initial value.
func (e *emission) initialized(name string) bool {
	return slices.ContainsFunc(e.info.InitOrder, func(i *types.Initializer) bool {
		return slices.ContainsFunc(i.Lhs, func(v *types.Var) bool { return v.Name() == name })
	})
}

// initialization gives variables of the package their value, by an assignment.
func (e *emission) initialization(i *types.Initializer) string {
	lhs := make([]string, len(i.Lhs))
	for j, v := range i.Lhs {
		if lhs[j] = v.Name(); e.names[v] != "" {
			lhs[j] = e.names[v]
		}
	}
	return strings.Join(lhs, ", ") + " = " + e.edited(i.Rhs.Pos(), i.Rhs.End())
}

// dotUsed says whether the file uses a name of a package whose names it imports.
func (e *emission) dotUsed(path string) bool {
	selected := map[*ast.Ident]bool{}
	for _, s := range e.parsed.body {
		selections(s, selected)
	}
	for _, list := range [][]*decl{e.parsed.decls, e.vars, e.parsed.once, e.earlier} {
		for _, d := range list {
			selections(d.node, selected)
		}
	}
	for id, obj := range e.info.Uses {
		if obj.Pkg() != nil && ImportPath(obj.Pkg()) == path && obj.Parent() == obj.Pkg().Scope() && !selected[id] {
			return true
		}
	}
	return false
}

func selections(n ast.Node, into map[*ast.Ident]bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			into[s.Sel] = true
		}
		return true
	})
}
