package programs

import (
	"fmt"
	"slices"
	"strings"
)

// cell makes a further cell.
func (g *grammar) cell() {
	g.changes, g.here = nil, map[string]bool{}
	var cell, program []string
	var parts []string
	for range g.r.IntN(3) {
		parts = append(parts, g.declaration())
	}
	for range 1 + g.r.IntN(4) {
		c, p := g.settled(g.statement())
		cell, program = append(cell, c), append(program, p)
	}
	c, p := g.show()
	cell, program = append(cell, c), append(program, p)
	// Declarations may stand anywhere between statements.
	at := g.r.IntN(len(cell) + 1)
	cell = slices.Insert(cell, at, parts...)
	g.cells = append(g.cells, strings.Join(cell, "\n"))
	g.steps = append(g.steps, strings.Join(append(g.changes, program...), "\n")+"\n")
}

// show prints some of what there is; the last expression may be a cell's value.
func (g *grammar) show() (cell, program string) {
	values := []string{g.number(2), g.text(1)}
	for name, v := range g.vars {
		if g.r.IntN(4) == 0 && !strings.HasPrefix(v.typ, "func") && !strings.HasPrefix(v.typ, "*") && !strings.HasPrefix(v.typ, "chan") && v.typ != "«I0»" {
			value := "«" + name + "»"
			if v.typ == "any" { // nil is no value to show
				value = "fmt.Sprint(" + value + ")"
			}
			values = append(values, value)
		}
	}
	slices.Sort(values)
	if anys := g.of("any"); len(anys) > 0 {
		values = append(values, fmt.Sprintf("fmt.Sprintf(`%%+v`, %s)", g.one(anys...)), fmt.Sprintf("func() string { b, err := json.Marshal(%s); return fmt.Sprint(string(b), err) }()", g.one(anys...)))
	}
	if g.r.IntN(3) == 0 {
		v := g.one(values...)
		return asCell(v), "fmt.Printf(`%+v\n`, " + g.asProgram(v) + ")"
	}
	line := "fmt.Println(" + strings.Join(values, ", ") + ")"
	return asCell(line), g.asProgram(line)
}

func (g *grammar) declaration() string {
	switch n := g.r.IntN(12); {
	case n < 1 || len(g.declared("N")) == 0:
		return g.declare(&declaration{name: "N0", text: fmt.Sprintf("const «N0» = %d", 1+g.r.IntN(4))})
	case n < 3 || len(g.declared("T")) == 0:
		return g.structType()
	case n < 4 || len(g.declared("G")) == 0:
		return g.genericType()
	case n < 7:
		return g.function()
	case n < 8:
		return g.genericFunction()
	case n < 9:
		return g.localFunction()
	default:
		return g.method()
	}
}

// structType is a struct with some fields that all have, and others.
func (g *grammar) structType() string {
	name := g.name("T")
	fields := []string{"A int", "B string", "C []int"}
	for i := range g.r.IntN(3) {
		fields = append(fields, fmt.Sprintf("X%d %s", i, g.one("int8", "float64", "[«N0»]int16", "any", "map[string]int")))
	}
	g.r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	text := fmt.Sprintf("type «%s» struct {\n\t%s\n}", name, strings.Join(fields, "\n\t"))
	return g.declare(&declaration{name: name, text: text})
}

func (g *grammar) genericType() string {
	fields := []string{"V T", "N int"}
	if g.r.IntN(2) == 0 {
		fields = append(fields, "L []T")
	}
	g.r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	return g.declare(&declaration{name: "G0", text: "type «G0»[T any] struct { " + strings.Join(fields, "; ") + " }"})
}

// inside are numbers in a function with the parameter a: nothing that calls methods,
// unless x, of a type with methods, is there.
func (g *grammar) inside(before string, depth int) string {
	numbers := []string{"a", fmt.Sprint(g.r.IntN(10)), "«N0»"}
	numbers = append(numbers, g.of("int")...)
	if depth > 0 {
		numbers = append(numbers, fmt.Sprintf("(%s %s %s)", g.inside(before, depth-1), g.one("+", "-", "*"), g.inside(before, depth-1)))
		for _, f := range g.declared("f") {
			if f < before && !g.decls[f].dynamic {
				numbers = append(numbers, fmt.Sprintf("«%s»(%s)", f, g.inside(before, depth-1)))
			}
		}
	}
	return g.one(numbers...)
}

func (g *grammar) function() string {
	g.need("int", "i0")
	name := g.name("f")
	d := &declaration{name: name}
	body := ""
	switch g.r.IntN(5) {
	case 0:
		body = fmt.Sprintf("return %s", g.inside(name, 2))
	case 1:
		body = fmt.Sprintf("s := 0\n\tfor i := 0; i < 4; i++ {\n\t\tif s += i; s > %s {\n\t\t\tcontinue\n\t\t}\n\t\ts += %s\n\t}\n\treturn s", g.inside(name, 1), g.inside(name, 1))
	case 2:
		body = fmt.Sprintf("defer func() { %s += a %% 3 }()\n\tadd := func(b int) int { return a + b }\n\treturn add(%s)", g.one(g.of("int")...), g.inside(name, 1))
	case 3:
		t := g.one(g.declared("T")...)
		if t, _, _ = strings.Cut(t, "."); true {
			body = fmt.Sprintf("x := «%s»{A: %s, C: []int{a, 1}}\n\tx.A += len(x.C)\n\treturn x.A", t, g.inside(name, 1))
			if m := g.declared(t + ".M"); len(m) > 0 && name == "f2" {
				_, called, _ := strings.Cut(g.one(m...), ".")
				body, d.dynamic = strings.Replace(body, "return x.A", "return x."+called+"(x.A)", 1), true
			}
		}
	case 4:
		body = fmt.Sprintf("type p struct { %s }\n\tv := map[p]int{{%s}: a}\n\tfor k := range v {\n\t\treturn int(k.Q) + a\n\t}\n\treturn 0", g.one("Q int; R int8", "R [3]int; Q int", "Q int8"), g.one("Q: 1", "Q: 2"))
	}
	d.text = fmt.Sprintf("func «%s»(a int) int {\n\t%s\n}", name, body)
	return g.declare(d)
}

// localFunction returns a value of a type of its own.
func (g *grammar) localFunction() string {
	name := g.name("l")
	fields := []string{"A int", "B string", "C [3]int8", "D float64"}
	g.r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	fields = fields[:1+g.r.IntN(4)]
	set := ""
	if slices.Contains(fields, "A int") {
		set = "A: a"
	}
	return g.declare(&declaration{name: name, text: fmt.Sprintf("func «%s»(a int) any {\n\ttype p struct { %s }\n\treturn %s\n}", name, strings.Join(fields, "; "),
		g.one("p{"+set+"}", "[]p{{"+set+"}, {}}", "map[string]p{`k`: {"+set+"}}"))})
}

func (g *grammar) genericFunction() string {
	if g.r.IntN(2) == 0 {
		return g.declare(&declaration{name: "map0", text: fmt.Sprintf("func «map0»[T, U any](s []T, f func(T) U) (out []U) {\n\tfor _, v := range s {\n\t\t%s\n\t}\n\treturn out\n}", g.one("out = append(out, f(v))", "out = append([]U{f(v)}, out...)", "out = append(out, f(v), f(v))"))})
	}
	return g.declare(&declaration{name: "sum0", text: fmt.Sprintf("func «sum0»[T int | float64 | string](s ...T) (t T) {\n\tfor _, v := range s {\n\t\tt %s v\n\t}\n\treturn t\n}", g.one("=", "+="))})
}

func (g *grammar) method() string {
	g.need("int", "i0")
	if g.r.IntN(4) == 0 && len(g.declared("G")) > 0 {
		return g.declare(&declaration{name: "G0.M0", dynamic: true, text: fmt.Sprintf("func (x «G0»[T]) M0(a int) int {\nreturn x.N %s %s\n}", g.one("+", "-"), g.inside("", 1))})
	}
	t, _, _ := strings.Cut(g.one(g.declared("T")...), ".")
	if g.r.IntN(4) == 0 {
		return g.declare(&declaration{name: t + ".P0", dynamic: true, text: fmt.Sprintf("func (x *«%s») P0(a int) int {\nx.A += %s\nreturn x.A\n}", t, g.inside("f2", 1))})
	}
	m := fmt.Sprint("M", g.r.IntN(2))
	return g.declare(&declaration{name: t + "." + m, dynamic: true, text: fmt.Sprintf("func (x «%s») %s(a int) int {\nreturn x.A %s %s\n}", t, m, g.one("+", "-", "^"), g.inside("f2", 2))})
}

// need makes a variable that is not there.
func (g *grammar) need(typ, name string) {
	if len(g.of(typ)) == 0 {
		c, p := g.settled(g.set(name, typ, map[string]string{"int": "1", "string": "`s`", "[]int": "[]int{1, 2}"}[typ]))
		g.cells = append(g.cells, c)
		g.steps = append(g.steps, strings.Join(append(g.changes, p), "\n")+"\n")
		g.changes = nil
	}
}

// number is an expression in a cell's statements.
func (g *grammar) number(depth int) string {
	all := []string{fmt.Sprint(g.r.IntN(100))}
	all = append(all, g.of("int")...)
	for _, c := range g.of("[]int") {
		all = append(all, "len("+c+")", fmt.Sprintf("append(%s, 1)[0]", c))
	}
	for _, t := range g.declared("T") {
		t, m, isMethod := strings.Cut(t, ".")
		for _, v := range append(g.of("«"+t+"»"), g.of("*«"+t+"»")...) {
			all = append(all, v+".A", "len("+v+".C)")
			if isMethod {
				all = append(all, fmt.Sprintf("%s.%s(%d)", v, m, g.r.IntN(5)), fmt.Sprintf("«%s».M0(%s, 1)", t, v))
				if m != "M0" || strings.HasPrefix(g.vars[strings.Trim(v, "«»")].typ, "*") {
					all = all[:len(all)-1]
				}
			}
		}
	}
	for _, v := range g.of("interface{ M0(int) int }") {
		all = append(all, v+".M0(2)")
	}
	for _, v := range append(g.of("«G0»[int]"), g.of("«G0»[string]")...) {
		all = append(all, v+".N")
		if g.decls["G0.M0"] != nil {
			all = append(all, v+".M0(1)")
		}
	}
	if depth > 0 {
		all = append(all, fmt.Sprintf("(%s %s %s)", g.number(depth-1), g.one("+", "-", "*"), g.number(depth-1)))
		for _, f := range append(g.declared("f"), "") {
			if f != "" {
				all = append(all, fmt.Sprintf("«%s»(%s)", f, g.number(depth-1)))
			}
		}
		for _, h := range g.of("func(int) int") {
			all = append(all, fmt.Sprintf("%s(%s)", h, g.number(depth-1)))
		}
		if g.decls["sum0"] != nil {
			all = append(all, fmt.Sprintf("«sum0»(%s, 1)", g.number(depth-1)))
		}
		if g.decls["map0"] != nil {
			all = append(all, fmt.Sprintf("«map0»([]int{%s, 2}, func(i int) int { type p struct{ I int8; J int }; return p{J: i}.J })[0]", g.number(depth-1)))
		}
	}
	return g.one(all...)
}

func (g *grammar) text(depth int) string {
	all := append([]string{"`a`", "\"b;{\"", "`// c`"}, g.of("string")...)
	if depth > 0 {
		all = append(all, fmt.Sprintf("fmt.Sprint(%s)", g.number(0)), fmt.Sprintf("(%s + %s)", g.text(depth-1), g.text(depth-1)), fmt.Sprintf("strings.Repeat(%s, 2)", g.text(0)))
		if g.decls["map0"] != nil {
			all = append(all, fmt.Sprintf("fmt.Sprint(«map0»([]string{%s}, func(s string) any { type p struct{ S string }; return p{s} }))", g.text(0)))
		}
	}
	return g.one(all...)
}
