package programs

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

// grammar makes a notebook by chance, and the plain program that does the same.
//
// What a cell declares anew is another version in the program, with a number behind its
// name; and so is all that depends on it. In texts, names that have versions stand in
// «»: what they mean is settled when a text becomes a part of the program.
type grammar struct {
	r        *rand.Rand
	cells    []string
	top      strings.Builder // of the program: its declarations
	steps    []string        // what its function for each cell does
	decls    map[string]*declaration
	vars     map[string]*variable
	versions map[string]int
	methods  map[string]*method // of the program, by the type with its number, and name
	changes  []string           // of methods, in the cell that is being made
	here     map[string]bool    // what that cell declares
}

// declaration is a constant, type, function or method.
type declaration struct {
	name string // of a method, with its type's: T0.M1
	text string
	// dynamic is true of what calls methods: in the program it always calls the latest
	// ones, as a cell does that is run, but not a value that has been made before. Of
	// the functions only f2 may be so, or there would be loops.
	dynamic bool
}

// variable is a session variable.
type variable struct {
	name, typ string
	shown     string // the type in the program
}

// method is one that has had several bodies.
type method struct {
	head, switched string
	bodies         []string
}

// marked is a name that has versions, or one of them.
var marked = regexp.MustCompile(`«(\w+)(?:#(\d+))?»`)

func newGrammar(seed uint64) *grammar {
	return &grammar{r: rand.New(rand.NewPCG(seed, 17)), decls: map[string]*declaration{}, vars: map[string]*variable{}, versions: map[string]int{}, methods: map[string]*method{}}
}

// one is one of several texts.
func (g *grammar) one(texts ...string) string { return texts[g.r.IntN(len(texts))] }

// name is one of a few names with a prefix.
func (g *grammar) name(prefix string) string { return fmt.Sprint(prefix, g.r.IntN(3)) }

func asCell(text string) string { return marked.ReplaceAllString(text, "$1") }

// asProgram settles what names mean now.
func (g *grammar) asProgram(text string) string {
	return marked.ReplaceAllStringFunc(text, func(m string) string {
		name, version, old := strings.Cut(strings.Trim(m, "«»"), "#")
		if old {
			return name + "_" + version
		}
		return fmt.Sprintf("%s_%d", name, g.versions[name])
	})
}

// refers says whether a declaration refers to one of some names.
func (d *declaration) refers(names map[string]bool) bool {
	if base, _, ok := strings.Cut(d.name, "."); ok && names[base] {
		return true
	}
	for _, m := range marked.FindAllStringSubmatch(d.text, -1) {
		if names[m[1]] {
			return true
		}
	}
	return false
}

// declare takes a declaration into the notebook, and whatever depends on it into the
// program anew.
func (g *grammar) declare(d *declaration) string {
	base, _, isMethod := strings.Cut(d.name, ".")
	if g.here[d.name] || g.here["methods"] && (strings.HasPrefix(d.text, "type") || strings.HasPrefix(d.text, "const")) {
		return "" // once in a cell; a type's methods after it, since they are of the new one
	}
	if len(g.changes) > 0 && strings.HasPrefix(d.text, "type") {
		return "" // values of the type that was keep its methods as they were before the cell
	}
	g.here[d.name] = true
	g.here["methods"] = g.here["methods"] || isMethod
	if old := g.decls[d.name]; old != nil && old.text == d.text {
		return asCell(d.text)
	}
	g.decls[d.name] = d
	changed := map[string]bool{d.name: true}
	types := map[string]bool{}
	for again := true; again; {
		again = false
		for _, name := range slices.Sorted(maps.Keys(g.decls)) {
			other := g.decls[name]
			if !changed[name] && (other.refers(changed) || isMethod && other.dynamic && other.refers(map[string]bool{base: true})) {
				changed[name] = true
				again = true
			}
		}
	}
	// A name means its new version in all texts, whatever their order.
	var emitted []string
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		if strings.Contains(name, ".") {
			continue
		}
		g.versions[name]++
		emitted = append(emitted, name)
		if g.kind(name) == "type" {
			types[name] = true
		}
	}
	for _, name := range emitted {
		text := g.decls[name].text
		// The name that is declared is marked, too.
		g.top.WriteString(g.asProgram(text) + "\n")
	}
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		if strings.Contains(name, ".") {
			g.emitMethod(name)
		}
	}
	for name, v := range g.vars { // they are gone, since their types are
		for _, m := range marked.FindAllStringSubmatch(v.typ, -1) {
			if types[m[1]] {
				delete(g.vars, name)
			}
		}
	}
	return asCell(d.text)
}

func (g *grammar) kind(name string) string {
	word, _, _ := strings.Cut(g.decls[name].text, " ")
	return word
}

var methodText = regexp.MustCompile(`^func \((\w+) (\*?)«(\w+)»(\[\w+\])?\) (\w+)(.*?) \{(?s:(.*))\}$`)

// emitMethod adds the body that a method now has to its others.
func (g *grammar) emitMethod(name string) {
	m := methodText.FindStringSubmatch(g.decls[name].text)
	typ := g.asProgram("«" + m[3] + "»")
	key := typ + "_" + m[5]
	of := g.methods[key]
	if of == nil {
		of = &method{head: fmt.Sprintf("func (%s %s%s%s) %s%s", m[1], m[2], typ, m[4], m[5], g.asProgram(m[6])), switched: key}
		g.methods[key] = of
	}
	of.bodies = append(of.bodies, g.asProgram(m[7]))
	g.changes = append(g.changes, fmt.Sprintf("%s = %d", key, len(of.bodies)-1))
}

// set makes a statement that gives a session variable a value, and makes the variable if
// there is none of this type.
func (g *grammar) set(name, typ, value string) string {
	v, here := g.vars[name], g.here["var "+name]
	if g.here["var "+name] = true; here && (v == nil || v.typ != typ) {
		return "_ = 0" // once in a cell
	}
	isNew := v == nil || v.typ != typ
	if isNew {
		// In its own value, the name means what it has meant.
		value = strings.ReplaceAll(value, "«"+name+"»", fmt.Sprintf("«%s#%d»", name, g.versions[name]))
		g.versions[name]++
		v = &variable{name: name, typ: typ, shown: g.asProgram(typ)}
		g.vars[name] = v
		fmt.Fprintf(&g.top, "var %s %s\n", g.asProgram("«"+name+"»"), v.shown)
	}
	if here || !isNew && g.r.IntN(2) == 0 {
		return fmt.Sprintf("«%s» = %s", name, value)
	}
	return fmt.Sprintf("«%s» := %s", name, value)
}

// settled is a statement of a cell and of the program: := of a session variable is = there.
func (g *grammar) settled(statement string) (cell, program string) {
	return asCell(statement), g.asProgram(session.ReplaceAllString(statement, "$1 = "))
}

var session = regexp.MustCompile(`(?m)^(«\w+») := `)

// of are the session variables of a type, as texts.
func (g *grammar) of(typ string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(g.vars)) {
		if g.vars[name].typ == typ {
			names = append(names, "«"+name+"»")
		}
	}
	return names
}

// declared are the names with a prefix that are declared.
func (g *grammar) declared(prefix string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(g.decls)) {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names
}

// program is the plain program.
func (g *grammar) program() string {
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n\t\"encoding/json\"\n\t\"fmt\"\n\t\"strings\"\n)\n\nvar _, _ = json.Marshal, strings.Repeat\n\n" + g.top.String())
	for _, key := range slices.Sorted(maps.Keys(g.methods)) {
		m := g.methods[key]
		fmt.Fprintf(&b, "var %s int\n%s {\nswitch %s {\n", m.switched, m.head, m.switched)
		for i, body := range m.bodies {
			fmt.Fprintf(&b, "case %d:\n%s\n", i, body)
		}
		b.WriteString("}\npanic(`no such method`)\n}\n")
	}
	b.WriteString("func main() {\n")
	for i := range g.steps {
		fmt.Fprintf(&b, "cell%d()\n", i)
	}
	b.WriteString("}\n")
	for i, step := range g.steps {
		fmt.Fprintf(&b, "func cell%d() {\ndefer fmt.Println(%q)\ndefer func() {\nif e := recover(); e != nil {\nfmt.Println(`panic:`, e)\n}\n}()\n%s}\n", i, cellEnd, step)
	}
	return b.String()
}

// cellEnd is printed behind what a cell prints.
const cellEnd = "———"
