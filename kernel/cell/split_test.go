package cell

import "testing"

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		source string
		want   []chunk
	}{
		{"1+1", []chunk{{statement, "1+1", 1, 1}}},
		{"\nx := 3 // three\nfunc f() {}\n", []chunk{{statement, "x := 3 // three", 1, 2}, {funcDecl, "func f() {}", 1, 3}}},
		{"x /* a\nb */\ny", []chunk{{statement, "x /* a\nb */", 1, 1}, {statement, "y", 1, 3}}},
		{"// doc\nfunc (p *point) area() int { return 1 }", []chunk{{methodDecl, "// doc\nfunc (p *point) area() int { return 1 }", 1, 1}}},
		{"func(a int) int { return a }(1)", []chunk{{statement, "func(a int) int { return a }(1)", 1, 1}}},
		{"type a struct{ x int }; var b a\nconst c = `\n;`", []chunk{{typeDecl, "type a struct{ x int }", 1, 1}, {varDecl, "var b a", 1, 1}, {constDecl, "const c = `\n;`", 1, 2}}},
		{"if x {\n} else {\n}\nimport \"fmt\"", []chunk{{statement, "if x {\n} else {\n}", 1, 1}, {importDecl, "import \"fmt\"", 1, 4}}},
		{"", nil},
		{"// only a comment", nil},
	} {
		got := split(c.source, 1)
		if len(got) != len(c.want) {
			t.Errorf("%q: expected %v, got %v", c.source, c.want, got)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%q: expected %+v, got %+v", c.source, c.want[i], got[i])
			}
		}
	}
}
