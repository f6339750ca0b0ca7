package programs

import (
	"fmt"
	"strings"
)

// statement makes one of a cell's.
func (g *grammar) statement() string {
	ints := g.of("int")
	if len(ints) < 2 {
		return g.set(g.name("i"), "int", g.number(0))
	}
	i := g.one(ints...)
	switch g.r.IntN(20) {
	case 0, 1:
		return g.set(g.name("i"), "int", g.number(2)+" % 1000")
	case 2:
		return g.one(i+"++", i+" += "+g.number(1), i+" = "+g.number(2)+" % 100")
	case 3:
		return g.set(g.name("s"), "string", g.one("`new`", g.text(1)+"[:1]"))
	case 4:
		if c := g.of("[]int"); len(c) > 0 && g.r.IntN(3) > 0 {
			return fmt.Sprintf("%s = append(%s[:min(len(%s), 3)], %s)", c[0], c[0], c[0], g.number(1))
		}
		return g.set(g.name("c"), "[]int", fmt.Sprintf("[]int{%s, %s}", g.number(1), g.number(0)))
	case 5:
		if m := g.of("map[string]int"); len(m) > 0 && g.r.IntN(3) > 0 {
			return fmt.Sprintf("%s[fmt.Sprint(%s %% 3)] += %s", m[0], g.number(0), g.number(1))
		}
		return g.set("m0", "map[string]int", "map[string]int{}")
	case 6, 7:
		return g.structStatement()
	case 8:
		return g.boxed()
	case 9:
		return g.functionValue()
	case 10:
		return g.generic()
	case 11:
		return fmt.Sprintf("for i := 0; i < %d; i++ {\n\t%s += i + %s\n}", 1+g.r.IntN(4), i, g.number(1))
	case 12:
		return fmt.Sprintf("if n := %s; n%%2 == 0 {\n\t%s = n %% 50\n} else if n > 3 {\n\t%s--\n}", g.number(1), i, i)
	case 13:
		return fmt.Sprintf("switch n := %s; {\ncase n < 10:\n\t%s++\n\tfallthrough\ncase n < 20:\n\t%s += 2\ndefault:\n\t%s = 0\n}", g.number(1), i, i, i)
	case 14:
		return fmt.Sprintf("outer%[3]d:\nfor _, v := range []int{1, 2, %[1]s} {\n\tfor j := range 3 {\n\t\tif j == v {\n\t\t\tcontinue outer%[3]d\n\t\t}\n\t\t%[2]s += j\n\t}\n}", g.number(0), i, len(g.top.String())+g.r.IntN(1e6))
	case 15:
		return fmt.Sprintf("{\n\tdone := make(chan int)\n\tgo func() {\n\t\tdefer func() {\n\t\t\tif recover() != nil {\n\t\t\t\tdone <- 1\n\t\t\t}\n\t\t}()\n\t\tdone <- %s\n\t}()\n\t%s = <-done %% 70\n}", g.number(1), i)
	case 16:
		return fmt.Sprintf("if %s%%7 == 3 {\n\tpanic(%s)\n}", i, g.text(0))
	case 17:
		return fmt.Sprintf("func() {\n\tdefer func() {\n\t\tif e := recover(); e != nil {\n\t\t\t%s++\n\t\t}\n\t}()\n\tvar none []int\n\t%s = none[%s%%3+5]\n}()", i, i, i)
	case 18:
		if c := g.of("chan int"); len(c) > 0 && g.r.IntN(4) > 0 {
			return fmt.Sprintf("select {\ncase v := <-%s:\n\t%s += v\ncase %s <- %s %% 9:\ndefault:\n}", c[0], i, c[0], g.number(0))
		}
		return g.set("q0", "chan int", "make(chan int, 1)")
	}
	return g.typeSwitch()
}

func (g *grammar) structStatement() string {
	types := g.declared("T")
	if len(types) == 0 {
		return "_ = 0"
	}
	t, _, _ := strings.Cut(g.one(types...), ".")
	name := g.name("t")
	value := fmt.Sprintf("«%s»{A: %s, B: %s, C: []int{%s}}", t, g.number(1), g.text(0), g.number(0))
	if v := g.of("«" + t + "»"); len(v) > 0 {
		switch g.r.IntN(5) {
		case 0:
			return fmt.Sprintf("%s.A, %s.B = %s, %s", v[0], v[0], g.number(1), g.text(0))
		case 1:
			return g.set(g.name("p"), "*«"+t+"»", "&"+v[0])
		case 2:
			return g.set(g.name("a"), "[]«"+t+"»", fmt.Sprintf("[]«%s»{%s, %s}", t, v[0], value))
		case 3:
			if g.decls[t+".P0"] != nil {
				return fmt.Sprintf("%s.P0(%s)", v[0], g.number(0))
			}
		}
	}
	return g.set(name, "«"+t+"»", value)
}

// boxed puts something into an interface.
func (g *grammar) boxed() string {
	values := []string{g.number(1), g.text(1)}
	types := g.declared("T")
	for _, t := range types {
		t, m, _ := strings.Cut(t, ".")
		values = append(values, g.of("«"+t+"»")...)
		for _, v := range g.of("«" + t + "»") {
			values = append(values, fmt.Sprintf("[]«%s»{%s}", t, v), fmt.Sprintf("map[string]«%s»{`k`: %s}", t, v))
			if m == "M0" && g.r.IntN(2) == 0 {
				return g.set("k0", "interface{ M0(int) int }", "interface{ M0(int) int }("+v+")")
			}
		}
	}
	for _, typ := range []string{"«G0»[int]", "«G0»[string]"} {
		values = append(values, g.of(typ)...)
	}
	for _, l := range g.declared("l") {
		values = append(values, fmt.Sprintf("«%s»(%s)", l, g.number(0)))
	}
	name, value := g.name("j"), g.one(values...)
	return g.set(name, "any", "any("+value+")")
}

func (g *grammar) functionValue() string {
	var values []string
	for _, f := range g.declared("f") {
		if f != "f2" {
			values = append(values, "«"+f+"»")
		}
	}
	i := g.one(g.of("int")...)
	values = append(values, fmt.Sprintf("func(a int) int { return a + %s }", i),
		fmt.Sprintf("func() func(int) int { n := %s; return func(a int) int { n += a; %s++; return n } }()", g.number(1), i),
		"func(a int) int { type p struct{ X int8; Y int }; v := []p{{1, a}}; return v[0].Y }")
	return g.set(g.name("h"), "func(int) int", g.one(values...))
}

func (g *grammar) generic() string {
	if g.decls["G0"] == nil {
		return "_ = 0"
	}
	switch g.r.IntN(3) {
	case 0:
		return g.set("g0", "«G0»[int]", fmt.Sprintf("«G0»[int]{V: %s, N: %s}", g.number(0), g.number(0)))
	case 1:
		return g.set("g1", "«G0»[string]", fmt.Sprintf("«G0»[string]{V: %s, N: 3}", g.text(0)))
	}
	for _, t := range g.declared("T") {
		if t, _, _ = strings.Cut(t, "."); true {
			if v := g.of("«" + t + "»"); len(v) > 0 {
				return g.set("g2", fmt.Sprintf("«G0»[«%s»]", t), fmt.Sprintf("«G0»[«%s»]{V: %s}", t, v[0]))
			}
		}
	}
	return "_ = 0"
}

// typeSwitch asks what is in an interface: a type that was declared anew is another.
func (g *grammar) typeSwitch() string {
	anys := g.of("any")
	if len(anys) == 0 {
		return g.boxed()
	}
	var b strings.Builder
	seen := map[string]bool{}
	fmt.Fprintf(&b, "switch v := %s.(type) {\ncase int:\n\tfmt.Println(`int`, v)\n", g.one(anys...))
	for _, t := range g.declared("T") {
		if t, _, _ = strings.Cut(t, "."); !seen[t] {
			seen[t] = true
			fmt.Fprintf(&b, "case «%s»:\n\tfmt.Println(`%s`, v.A, v.B)\ncase []«%s»:\n\tfmt.Println(`%ss`, len(v), v[0].A)\n", t, t, t, t)
		}
	}
	b.WriteString("default:\n\tfmt.Println(`other`)\n}")
	return b.String()
}
