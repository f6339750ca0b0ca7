package cell

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"sort"
	"strings"
)

// edit replaces a part of the checked file.
type edit struct {
	start, end int
	text       string
}

// emission is the file to compile, being written.
type emission struct {
	*composition
	edits    []edit
	names    map[types.Object]string // emitted names of objects that have primes
	versions map[string]int          // of the next state's names
	used     map[string]string       // names of imports by path
	vars     []*variable             // to announce: new ones and those carried over
	carried  map[string]bool
	embeds   []string
	unkept   map[*ast.Ident]bool // outermost variables that cannot live on
}

const (
	numberMark = "\x01" // stands for the library's number
	cellMark   = "\x02" // stands for the cell's number
)

func (c *composition) emit() (*Output, error) {
	e := &emission{composition: c, names: map[types.Object]string{}, versions: maps.Clone(c.next.versions), used: map[string]string{}, carried: map[string]bool{}}
	e.raise()
	if e.variables() {
		// A variable's type has changed, so what depends on it has too.
		e.propagate()
		e.reach()
		e.write()
		if err := e.check(); err != nil {
			return nil, err
		}
		e.versions = maps.Clone(c.next.versions)
		e.raise()
		e.vars, e.carried, e.names = nil, map[string]bool{}, map[types.Object]string{}
		e.variables()
	}
	e.rename()
	e.statementsEdits()
	e.calls()
	source := e.render()
	next := c.next
	key := source
	out := &Output{Notes: c.notes, Embeds: e.embeds}
	if lib, ok := c.notebook.built[key]; ok {
		out.N = lib
	} else {
		out.Build, out.N = true, c.notebook.next+1
	}
	source = strings.ReplaceAll(source, numberMark, fmt.Sprint(out.N))
	out.Source = []byte(strings.ReplaceAll(source, cellMark, fmt.Sprint(c.in.Number)))
	next.versions = e.versions
	out.commit = func() {
		c.notebook.state = next
		c.notebook.built[key] = out.N
		c.notebook.next = max(c.notebook.next, out.N)
	}
	return out, nil
}

func (e *emission) offset(p token.Pos) int { return e.fset.PositionFor(p, false).Offset }

func (e *emission) replace(from, to token.Pos, text string) {
	e.edits = append(e.edits, edit{e.offset(from), e.offset(to), text})
}

// insert puts text before a position.
func (e *emission) insert(at token.Pos, text string) { e.replace(at, at, text) }

// edited returns a part of the checked file with the edits in it.
func (e *emission) edited(start, end int) string {
	var b strings.Builder
	at := start
	for _, d := range e.edits {
		if d.start < start || d.end > end || d.start < at {
			continue
		}
		b.WriteString(e.text[at:d.start])
		b.WriteString(d.text)
		at = d.end
	}
	b.WriteString(e.text[at:end])
	return b.String()
}

// render writes the file to compile, with marks for the numbers.
func (e *emission) render() string {
	sort.SliceStable(e.edits, func(i, j int) bool { return e.edits[i].start < e.edits[j].start })
	var decls, run, after strings.Builder
	line := func(b *strings.Builder, cell, line int) {
		if cell == e.in.Number {
			fmt.Fprintf(b, "//line cell[%s]:%d:1\n", cellMark, line)
		} else {
			fmt.Fprintf(b, "//line cell[%d]:%d:1\n", cell, line)
		}
	}
	embedded := map[string]bool{}
	inits := 0
	var statements strings.Builder
	for _, p := range e.pieces {
		text := e.edited(p.start, p.end)
		switch {
		case p.decl == nil:
			line(&statements, p.cell, p.line)
			statements.WriteString(text + "\n")
		case slices.Contains(e.freshVars, p.decl):
			if patterns := embedPatterns(p.decl.text); len(patterns) > 0 {
				line(&decls, p.cell, p.line)
				decls.WriteString(text + "\n")
				e.embeds = append(e.embeds, patterns...)
				for _, name := range p.decl.names {
					embedded[name] = true
				}
			}
		case slices.Contains(e.oneShot, p.decl):
			line(&decls, p.cell, p.line)
			name := fmt.Sprintf("mainʹ%s", numberMark)
			if p.decl.key != "main" {
				inits++
				name = fmt.Sprintf("initʹ%sʹ%d", numberMark, inits)
				fmt.Fprintf(&after, "%s()\n", name)
			}
			at := nameOffset(text)
			decls.WriteString(text[:at] + name + text[at+len(p.decl.key):] + "\n")
		default:
			line(&decls, p.cell, p.line)
			decls.WriteString(text + "\n")
		}
	}
	decls.WriteString("//line gradbook:1:1\n")
	declared := map[string]bool{}
	declare := func(v *variable) {
		name := emitted(v.name, v.version)
		if declared[name] || embedded[v.name] {
			return
		}
		declared[name] = true
		pointer := ""
		if v.indirect {
			pointer = "*"
		}
		fmt.Fprintf(&decls, "var %s %s%s\n", name, pointer, e.emittedType(v.typ))
	}
	for _, v := range e.liveVar {
		if !e.carried[v.name] {
			declare(v)
		}
	}
	for _, v := range e.vars {
		declare(v)
	}

	fmt.Fprintf(&run, "func init() { %s.Register(%s, runʹ%s) }\n\nfunc main() {}\n\n//line gradbook:1:1\nfunc runʹ%s() {\n", runtimeName, numberMark, numberMark, numberMark)
	for _, name := range e.lost {
		fmt.Fprintf(&run, "%s.Forget(%q)\n", runtimeName, name)
	}
	for _, v := range e.vars {
		name := emitted(v.name, v.version)
		if e.carried[v.name] {
			fmt.Fprintf(&run, "%s = (*%s)(%s.Address(%q))\n", name, e.emittedType(v.typ), runtimeName, v.name)
		}
		fmt.Fprintf(&run, "%s.SetVariable(%q, &%s)\n", runtimeName, v.name, v.ref())
	}
	initialized := map[string]bool{}
	for _, i := range e.info.InitOrder {
		for _, v := range i.Lhs {
			initialized[v.Name()] = true
		}
	}
	for _, d := range e.freshVars {
		for _, name := range d.names {
			if v := e.next.vars[name]; v != nil && v.decl == d && !initialized[name] && !embedded[name] {
				fmt.Fprintf(&run, "%s = %s.Zero[%s]()\n", v.ref(), runtimeName, e.emittedType(v.typ))
			}
		}
	}
	for _, i := range e.info.InitOrder {
		lhs := make([]string, len(i.Lhs))
		for j, v := range i.Lhs {
			lhs[j] = v.Name()
			if own := e.next.vars[v.Name()]; own != nil {
				lhs[j] = own.ref()
			}
		}
		p := e.fset.Position(i.Rhs.Pos())
		if cell, l, ok := place(p); ok {
			line(&run, cell, l)
		}
		fmt.Fprintf(&run, "%s = %s\n", strings.Join(lhs, ", "), e.edited(e.offset(i.Rhs.Pos()), e.offset(i.Rhs.End())))
	}
	run.WriteString(after.String())
	if e.in.HasMain {
		run.WriteString(runtimeName + ".ParseFlags()\n")
	}
	run.WriteString(statements.String())
	if e.in.Call != "" {
		fmt.Fprintf(&run, "//line cell[%s]:1:1\n%s()\n", cellMark, emitted(e.in.Call, e.versions[e.in.Call]))
	}
	for _, d := range e.oneShot {
		if d.key == "main" {
			fmt.Fprintf(&run, "mainʹ%s()\n", numberMark)
		}
	}
	run.WriteString("//line gradbook:2:1\n}\n")

	body := decls.String() + run.String()
	var head strings.Builder
	head.WriteString("package main\n\n")
	fmt.Fprintf(&head, "import %s %q\n", runtimeName, runtimePath)
	for _, path := range slices.Sorted(maps.Keys(e.used)) {
		if name := e.used[path]; strings.Contains(body, name+".") { // else its use is not emitted
			fmt.Fprintf(&head, "import %s %q\n", name, path)
		}
	}
	for _, path := range e.next.dots {
		if e.dotUsed(path) {
			fmt.Fprintf(&head, "import . %q\n", path)
		}
	}
	for _, path := range e.blank {
		fmt.Fprintf(&head, "import _ %q\n", path)
	}
	if len(e.embeds) > 0 && !slices.Contains(e.blank, "embed") {
		head.WriteString("import _ \"embed\"\n")
	}
	return head.String() + "\n" + body
}

func (e *emission) dotUsed(path string) bool {
	selected := map[*ast.Ident]bool{}
	ast.Inspect(e.file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			selected[s.Sel] = true
		}
		return true
	})
	for id, obj := range e.info.Uses {
		if obj.Pkg() != nil && obj.Pkg().Path() == path && obj.Parent() == obj.Pkg().Scope() && !selected[id] {
			return true
		}
	}
	return false
}

// nameOffset is where the name of a function stands in its declaration.
func nameOffset(text string) int {
	const header = "package main;"
	f, err := parser.ParseFile(token.NewFileSet(), "", header+text, parser.SkipObjectResolution)
	if err != nil || len(f.Decls) != 1 {
		return strings.Index(text, "func ") + len("func ")
	}
	return int(f.Decls[0].(*ast.FuncDecl).Name.Pos()) - 1 - len(header)
}

// embedPatterns are the patterns of go:embed directives before a declaration.
func embedPatterns(text string) []string {
	var list []string
	for l := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(l), "//go:embed "); ok {
			list = append(list, strings.Fields(rest)...)
		}
	}
	return list
}
