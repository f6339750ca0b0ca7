package cell_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/dialect"
)

// seen says which names a language server could complete at a mark | in code, by the
// types of the document it is shown: the tolerant sibling of a cell's file.
func seen(t *testing.T, n *notebook, code string) (scope []string, document string) {
	t.Helper()
	offset := strings.Index(code, "|")
	code = code[:offset] + code[offset+1:]
	blank := dialect.Parse(code).Blank()
	line := blank[strings.LastIndexByte(blank[:offset], '\n')+1 : offset]
	document, at := n.Context().Document(blank, offset, packages)
	if !strings.HasSuffix(document[:at], line) {
		t.Errorf("%q: the place is behind %q, want %q\n%s", code, document[max(0, at-20):at], line, document)
	}
	fset := token.NewFileSet()
	file, _ := parser.ParseFile(fset, "main.go", document, parser.SkipObjectResolution) // with mistakes, as it may have
	if file == nil {
		t.Fatalf("%q: no file can be made of\n%s", code, document)
	}
	config := types.Config{Importer: packages, Error: func(error) {}}
	info := types.Info{Scopes: map[ast.Node]*types.Scope{}}
	pkg, _ := config.Check("main", fset, []*ast.File{file}, &info)
	pos := fset.File(file.Pos()).Pos(at)
	for s := pkg.Scope().Innermost(pos); s != nil && s != types.Universe; s = s.Parent() {
		for _, name := range s.Names() {
			if _, obj := s.LookupParent(name, pos); obj != nil && !slices.Contains(scope, name) {
				scope = append(scope, name)
			}
		}
	}
	slices.Sort(scope)
	return scope, document
}

// What the session has can be completed anywhere in a cell, also in one that declares some
// of it anew, or that is not finished.
func TestDocument(t *testing.T) {
	n := newNotebook(t)
	n.run("alpha := 1\nbeta := \"b\"\nvar gamma []float64", "type point struct{ X, Y int }\nfunc (p point) Sum() int { return p.X + p.Y }\nfunc double(x int) int { return 2 * x }\nconst limit = 10", "p := point{1, 2}")
	all := []string{"alpha", "beta", "gamma", "point", "double", "limit", "p"}
	for _, c := range []struct {
		code string
		want []string // besides all
		not  []string
	}{
		{code: "|"},
		{code: "al|"},
		{code: "fmt.Println(al|"},
		{code: "var alpha = 3\nbe|"},
		{code: "alpha := 3\nbe|"},
		{code: "alpha, delta := 3, 4\nde|", want: []string{"delta"}},
		{code: "for i := 0; i < 3; i++ {\n\tal|\n}", want: []string{"i"}},
		{code: "for i := range 3 {\n\tal|", want: []string{"i"}},
		{code: "if n := double(2); n > 1 { be| }", want: []string{"n"}},
		{code: "func triple(y int) int {\n\treturn y * al|\n}", want: []string{"y", "triple"}},
		{code: "func double(x int) int {\n\treturn al|\n}", want: []string{"x"}},
		{code: "func (p point) Area() int { return p.X * al| }"},
		{code: "type line struct{ from, to po| }", want: []string{"line"}},
		{code: "x := func(a int) int { return al| }", want: []string{"a"}},
		{code: "switch v := any(p).(type) {\ncase point:\n\tal|\n\tprintln()\n}", want: []string{"v"}},
		{code: "const limit = 3\nal|"},
		{code: "import \"strings\"\nstrings.ToUpper(be|)", want: []string{"strings"}},
		{code: "%who\n!ls\nal|"},
		{code: "x := 1\n%time double(al|)", want: []string{"x"}},
		{code: "x := 1\n%%\nal|", want: []string{"x"}},
		{code: "{\n\tinner := 1\n}\nal|", not: []string{"inner"}},
		{code: "al|\nlater := 1"},
	} {
		got, document := seen(t, n, c.code)
		for _, name := range slices.Concat(all, c.want) {
			if !slices.Contains(got, name) {
				t.Errorf("%q: %s is not among %q\n%s", c.code, name, got, document)
			}
		}
		for _, name := range c.not {
			if slices.Contains(got, name) {
				t.Errorf("%q: %s is among %q", c.code, name, got)
			}
		}
	}
}

// Every place in a cell is the same place in its document, whatever stands there.
func TestDocumentPlaces(t *testing.T) {
	n := newNotebook(t)
	n.run("alpha := 1", "type point struct{ X int }")
	for _, code := range []string{
		"alpha := 2\nfunc f(é int) string {\n\treturn `a\nb`\n}\n\nfor i := range 3 {\n\tfmt.Println(i, \"é字\")\n}\ntype q struct {\n\tpoint\n}\nalpha",
		"import (\n\t\"fmt\"\n)\n\nvar (\n\ta = 1\n\tb = 2\n)\n\nfunc (p point) m() {}\nfmt.Println(a, b)",
		"func broken( {\nx := \n",
	} {
		for offset := range code {
			document, at := n.Context().Document(code, offset, packages)
			if at < 0 || at > len(document) {
				t.Fatalf("%q at %d: there is no place %d", code, offset, at)
			}
			from := strings.LastIndexAny(code[:offset], "\n ") + 1
			if word := code[from:offset]; !strings.HasSuffix(document[:at], word) {
				t.Errorf("%q at %d: the place is behind %q, want %q", code, offset, document[max(0, at-10):at], word)
			}
		}
	}
}

// The document changes nothing.
func TestDocumentIsADraft(t *testing.T) {
	n := newNotebook(t)
	n.run("alpha := 1")
	n.Context().Document("beta := 2\nfunc f() {}\nalpha := \"a\"", 4, packages)
	if got := n.Context().Declared(); !slices.Equal(got, []string{"alpha"}) {
		t.Errorf("declared is %q", got)
	}
	_, err := n.Compose(packages, dialect.Parse("beta").Cell(2))
	var mistakes *cell.Error
	if !errors.As(err, &mistakes) {
		t.Errorf("beta is declared: %v", err)
	}
	out, err := n.Compose(packages, dialect.Parse("alpha + 1").Cell(2))
	if err != nil || out == nil {
		t.Errorf("alpha is another: %v", err)
	}
}
