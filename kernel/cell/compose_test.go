package cell_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/dialect"
)

// notebook composes cells as a kernel does.
type notebook struct {
	*cell.Notebook
	t testing.TB
	n int
}

func newNotebook(t testing.TB) *notebook { return &notebook{Notebook: cell.New(), t: t} }

// try composes a cell, and makes it one of the notebook's unless it has a mistake.
func (n *notebook) try(text string) (*cell.Output, error) {
	n.n++
	out, err := n.Compose(packages, dialect.Parse(text).Cell(n.n))
	if err == nil {
		compiles(n.t, text, out)
		out.Commit()
	}
	return out, err
}

// run composes cells that have no mistakes, and returns the last.
func (n *notebook) run(texts ...string) (last *cell.Output) {
	n.t.Helper()
	for _, text := range texts {
		out, err := n.try(text)
		if err != nil {
			n.t.Fatalf("%s: %v", text, err)
		}
		last = out
	}
	return last
}

// compiled are packages as the compiler has them, the session's among them.
var compiled = sync.OnceValue(func() types.Importer {
	files := map[string]string{}
	listed, err := exec.Command("go", "list", "-deps", "-export", "-f", "{{.ImportPath}}\t{{.Export}}",
		"std", "github.com/gradbook/gradbook/kernel/session/calls").Output()
	if err != nil {
		panic(fmt.Sprintf("go list -export: %v", err))
	}
	for line := range strings.Lines(string(listed)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		files[path] = file
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(files[path])
	})
})

var checking sync.Mutex

// compiles checks that what a cell has become is a Go file without mistakes.
func compiles(t testing.TB, text string, out *cell.Output) {
	t.Helper()
	checking.Lock()
	defer checking.Unlock()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "cell.go", out.Source, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		t.Errorf("%s becomes no Go: %v\n%s", text, err, out.Source)
		return
	}
	conf := types.Config{Importer: compiled()}
	if _, err := conf.Check("main", fset, []*ast.File{f}, nil); err != nil {
		t.Errorf("%s becomes what has a mistake: %v\n%s", text, err, out.Source)
	}
}

// TestGoldenCompiles says that what the golden files show has no mistakes.
func TestGoldenCompiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.cells")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "embed.cells") {
			continue // whether a pattern fits is the compiler's to say
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			n := newNotebook(t)
			for _, text := range read(t, file) {
				_, _ = n.try(text) // the mistakes are in the golden files
			}
		})
	}
}

// A cell that has run needs no other library, whatever its number.
func TestAgain(t *testing.T) {
	n := newNotebook(t)
	n.run("x := 1")
	first := n.run("x + 1")
	if !first.Build {
		t.Error("a new cell is not built")
	}
	again := n.run("x + 1")
	if again.Build || again.N != first.N {
		t.Errorf("the same cell is library %d, built: %v; it is %d", again.N, again.Build, first.N)
	}
	// The same text means something else when what it names has changed.
	n.run(`x := "a"`)
	if _, err := n.try("x + 1"); err == nil {
		t.Error("no mistake in a text plus a number")
	}
	// A further line before it moves its lines.
	if !n.run("\nx").Build || n.run("\nx").Build {
		t.Error("a cell with its statement in another line is another, and then the same")
	}
}

// What is not committed has not been.
func TestNotCommitted(t *testing.T) {
	n := newNotebook(t)
	if _, err := n.Compose(packages, cell.Cell{Number: 1, Text: "x := 1\ntype point struct{}"}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.try("x"); err == nil {
		t.Error("x is there")
	}
	if got := n.Declarations(); len(got) > 0 {
		t.Errorf("%v is there", got)
	}
}

// A cell with a mistake leaves no trace, whatever else it does.
func TestMistakeLeavesNoTrace(t *testing.T) {
	n := newNotebook(t)
	n.run("x := 1", "type point struct{ a int }", "p := point{1}", "func f() int { return x }", `import str "strings"`)
	before := fmt.Sprint(n.Declarations(), n.Variables())
	for _, text := range []string{
		`x := "a"; nosuch()`, "type point struct{ b string }\nnosuch()", "func f() int { return nosuch }", "func (p point) m() { nosuch() }",
		"const x = nosuch", "var y = nosuch", `import "no/such"`, `import str "no/such"`, "for {", "x := )", "y := 1; x.z()",
	} {
		if _, err := n.try(text); err == nil {
			t.Errorf("%s has no mistake", text)
		}
		if after := fmt.Sprint(n.Declarations(), n.Variables()); after != before {
			t.Fatalf("%s: there was\n%s\nnow there is\n%s", text, before, after)
		}
	}
	if out := n.run("x + p.a + f() + len(str.ToUpper(``))"); strings.Contains(string(out.Source), "ʹ1") {
		t.Errorf("something has got another version:\n%s", out.Source)
	}
}

// Notes tell of what a change does to values and declarations.
func TestNotes(t *testing.T) {
	for _, c := range []struct {
		name  string
		cells []string
		want  []string
	}{
		{"a statement's variable", []string{"type t struct{ a int }", "x := t{1}", "type t struct{ b int }"}, []string{"x is gone, since type t has changed"}},
		{"a declared variable", []string{"type t struct{ a int }", "var x t", "type t struct{ b int }"}, []string{"x is initialised again, since type t has changed"}},
		{"an initial value that does not fit", []string{"type t struct{ a int }", "var x = t{a: 1}", "type t struct{ b int }"}, []string{"x is gone: its initial value does not fit the changed type"}},
		{"a type within a type", []string{"type t struct{ a int }\ntype u struct{ t }", "x := []u{}", "type t struct{ b int }"}, []string{"x is gone, since type u has changed"}},
		{"behind a pointer", []string{"type t struct{ a int }\ntype u struct{ *t }", "x := map[string]*u{}", "type t struct{ b int }"}, []string{"x is gone, since type u has changed"}},
		{"a type argument", []string{"type t struct{ a int }\ntype g[T any] struct{ v T }", "x := g[t]{}", "type t struct{ b int }"}, []string{"x is gone, since type t has changed"}},
		{"a method that does not fit", []string{"type t struct{ a int }\nfunc (x t) m() int { return x.a }", "type t struct{ b int }"}, []string{"t.m is gone: it does not fit the new t"}},
		{"a method that fits", []string{"type t struct{ a int }\nfunc (x t) m() int { return x.a }", "type t struct{ a, b int }"}, nil},
		{"a method", []string{"type t struct{ a int }", "x := t{1}", "func (x t) m() {}"}, nil},
		{"the same type", []string{"type t struct{ a int }", "x := t{1}", "type t struct{ a int } // again"}, nil},
		{"another layout, in blanks", []string{"type t struct{ a int }", "x := t{1}", "type t struct {\n\ta int\n}"}, nil},
		{"the name of a group", []string{"const (\na = iota\nb\n)", "const a = 7"}, []string{"b is gone: a is declared anew without it"}},
		{"another name of a group", []string{"const (\na = iota\nb\n)", "const b = 7"}, nil},
		{"a constant in a type", []string{"const n = 3\ntype t [n]int", "var x t", "const n = 4"}, []string{"x is initialised again, since type t has changed"}},
		{"a function", []string{"func f() {}", "g := f", "func f() { println() }"}, nil},
		{"a variable of a type that is a variable now", []string{"type t int", "x := t(1)", "t := 3"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := newNotebook(t).run(c.cells...).Notes; !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// What is forgotten can be declared again, and nothing else is.
func TestRemove(t *testing.T) {
	n := newNotebook(t)
	n.run("x, y := 1, 2", "type t struct{}\nfunc (t) m() {}\nfunc (t) k() {}", "func f() {}", "const (\na = iota\nb\n)")
	for _, c := range []struct {
		name  string
		found bool
	}{{"x", true}, {"x", false}, {"t.m", true}, {"t.m", false}, {"t.nosuch", false}, {"f", true}, {"a", true}, {"a", false}, {"nosuch", false}, {"", false}} {
		if got := n.Remove(c.name); got != c.found {
			t.Errorf("%s: found is %v", c.name, got)
		}
	}
	for _, text := range []string{"x", "f()", "a", "t{}.m()"} {
		if _, err := n.try(text); err == nil {
			t.Errorf("%s is still there", text)
		}
	}
	n.run("y + b", "t{}.k()", `x := "a"`, "x", "func f() int { return 3 }", "f()")
	if !n.Remove("t") {
		t.Error("t is not there")
	}
	if _, err := n.try("t{}"); err == nil {
		t.Error("t is still there")
	}
	if got := n.Declarations()["methods"]; len(got) > 0 {
		t.Errorf("methods of no type are there: %q", got)
	}
}

func TestDeclarations(t *testing.T) {
	n := newNotebook(t)
	n.run("type t struct{}\nfunc (t) m() {}", "func f() {}\nfunc init() {}", "const (\nb = 1\na = 2\n)", "x := 3", "import str \"strings\"\nstr.ToUpper(``)")
	got := n.Declarations()
	want := map[string][]string{
		"types": {"t"}, "methods": {"t.m"}, "functions": {"f"}, "constants": {"a", "b"}, "variables": {"x"}, "imports": {`str "strings"`},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	n.Reset()
	if got := n.Declarations(); len(got) > 0 {
		t.Errorf("after a reset there is %v", got)
	}
}

// When the session has died, variables are gone and declarations are not.
func TestLose(t *testing.T) {
	n := newNotebook(t)
	n.run("x := 1", "var y = 2", "func f() int { return 3 }")
	f := n.run("f()")
	if got := n.Lose(); !slices.Equal(got, []string{"x", "y"}) {
		t.Errorf("lost is %q", got)
	}
	for _, name := range []string{"x", "y"} {
		if _, err := n.try(name); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	if again := n.run("f()"); !again.Build || again.N <= f.N {
		t.Errorf("the new session does not get its own library: %+v", again)
	}
}

// gonb is a package of GoNB's, as far as cells are to know it.
type gonb struct{ std }

func (g gonb) Import(path string) (*types.Package, error) {
	name, ok := strings.CutPrefix(path, "github.com/janpfeifer/gonb/gonbui")
	if !ok {
		return g.std.Import(path)
	}
	p := types.NewPackage(path, path[strings.LastIndex(path, "/")+1:])
	_ = name
	sig := types.NewSignatureType(nil, nil, nil, types.NewTuple(types.NewVar(token.NoPos, p, "html", types.Typ[types.String])), nil, false)
	p.Scope().Insert(types.NewFunc(token.NoPos, p, "Append", sig))
	p.MarkComplete()
	return p, nil
}

func (g gonb) Names() map[string]string {
	names := g.std.Names()
	names["github.com/janpfeifer/gonb/gonbui"] = "gonbui"
	names["github.com/janpfeifer/gonb/gonbui/dom"] = "dom"
	return names
}

// A cell is GoNB's by what it calls, and not by what its text looks like.
func TestGoNB(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool
	}{
		{`dom.Append("a")`, true},
		{"import \"github.com/janpfeifer/gonb/gonbui/dom\"\ndom.Append(\"a\")", true},
		{"import page \"github.com/janpfeifer/gonb/gonbui/dom\"\nfunc f() { page.Append(\"a\") }", true},
		{`gonbui.Append("a")`, false},
		{"// dom.Append", false},
		{`s := "dom.Append"`, false},
		{"s := `\ndom.Append(\n`", false},
		{"type d struct{}\nfunc (d) Append(string) {}\ndom := d{}\ndom.Append(\"a\")", false},
		{"func f(dom interface{ Append(string) }) { dom.Append(\"a\") }", false},
	} {
		_, err := cell.New().Compose(gonb{packages}, cell.Cell{Number: 1, Text: c.text})
		if got := errors.Is(err, cell.ErrGoNB); got != c.want || err != nil && !got {
			t.Errorf("%s: got %v", c.text, err)
		}
	}
}

// GoNB's programs get all that is declared, but for what they declare themselves.
func TestProgram(t *testing.T) {
	n := newNotebook(t)
	if imports, rest := n.Program(cell.Cell{Number: 1, Text: "1"}); imports != nil || rest != "" {
		t.Errorf("nothing is declared, got %q and %q", imports, rest)
	}
	n.run("import str \"strings\"\nfunc up(s string) string { return str.ToUpper(s) }", "type t struct{}\nfunc (t) m() {}", "x := time.Second", "const c = 1")
	imports, rest := n.Program(cell.Cell{Number: 9, Text: "func main() { up(`a`) }\ntype t int"})
	source := "package main\n" + strings.Join(imports, "\n") + "\n" + rest
	if _, err := parser.ParseFile(token.NewFileSet(), "", source, 0); err != nil {
		t.Fatalf("%v:\n%s", err, source)
	}
	for _, part := range []string{"func up(", "const c = 1", "var x ", "Duration", `"strings"`, `"time"`} {
		if !strings.Contains(source, part) {
			t.Errorf("%s is missing in\n%s", part, source)
		}
	}
	if strings.Contains(source, "type t struct") {
		t.Errorf("the cell's own type is there twice:\n%s", source)
	}
}

// Types that are too deep are refused before anything looks at them, however they are
// made. (Go's own tools take minutes over some of these.)
func TestDepth(t *testing.T) {
	const n = 3000
	repeat := func(begin, middle, end string) string {
		return strings.Repeat(begin, n) + middle + strings.Repeat(end, n)
	}
	var chain strings.Builder
	chain.WriteString("type t0 struct{}\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&chain, "type t%d struct{ a t%d }\n", i, i-1)
	}
	for name, text := range map[string]string{
		"pointers": "var x " + repeat("*", "int", ""), "slices": "var x " + repeat("[]", "int", ""), "maps": "var x " + repeat("map[int]", "int", ""),
		"channels": "var x " + repeat("chan ", "int", ""), "parameters": "var x " + repeat("func(", "", ")"), "results": "var x " + repeat("func() ", "int", ""),
		"structs": "var x " + repeat("struct{a ", "int", "}"), "interfaces": "var x " + repeat("interface{a() ", "int", "}"),
		"type arguments": "type g[T any] struct{ v T }\nvar x " + repeat("g[", "int", "]"), "names": chain.String(), "in a function": "func f() { _ = new(" + repeat("[]", "int", "") + ") }",
		"in an expression": "any((" + repeat("*", "int", "") + ")(nil))",
	} {
		_, err := cell.New().Compose(packages, cell.Cell{Number: 1, Text: text})
		if err == nil || !strings.Contains(err.Error(), "too deep") {
			t.Errorf("%s: got %.100v", name, err)
		}
	}
	for name, text := range map[string]string{
		"parentheses": "x := " + repeat("(", "1", ")"), "sums": "x := " + repeat("1+", "1", ""), "blocks": repeat("{", "", "}"), "calls": "func f(i int) int { return i }\nx := " + repeat("f(", "1", ")"),
		"functions": repeat("func() {", "", "}()"), "literals": "x := " + repeat("[]any{", "", "}"),
	} {
		if _, err := cell.New().Compose(packages, cell.Cell{Number: 1, Text: text}); err != nil {
			t.Errorf("%s: got %.100v", name, err)
		}
	}
	// Types that stand on those of other cells count, too.
	notebook := cell.New()
	lines := strings.SplitAfter(chain.String(), "\n")
	for i, text := range append([]string{strings.Join(lines[:495], "")}, lines[495:600]...) {
		out, err := notebook.Compose(packages, cell.Cell{Number: i + 1, Text: text})
		if err != nil {
			if i == 0 || !strings.Contains(err.Error(), "too deep") {
				t.Error(i, err)
			}
			return
		}
		out.Commit()
	}
	t.Error("600 types in as many cells are not too deep")
}

// FuzzCompose says what holds of every two cells: the kernel does not fall over them,
// and what they become is Go without mistakes.
func FuzzCompose(f *testing.F) {
	files, err := filepath.Glob("testdata/*.cells")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		var t testing.T
		list := read(&t, file)
		for i := range list {
			f.Add(list[max(i-1, 0)], list[i])
		}
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		if strings.Contains(first+second, "//line") || strings.Contains(first+second, "/*line") || strings.Contains(first+second, "go:embed") || strings.Contains(first+second, "ʹ") {
			return
		}
		n := newNotebook(t)
		_, _ = n.try(first)
		_, _ = n.try(second)
	})
}

// Of many mistakes the first are told, and how many others there are.
func TestManyMistakes(t *testing.T) {
	for n, more := range map[int]string{10: "", 11: "\n… and 1 more", 400: "\n… and 390 more"} {
		_, err := cell.New().Compose(packages, cell.Cell{Number: 1, Text: strings.Repeat("nosuch()\n", n)})
		if want := "cell[1]:10:1: undefined: nosuch" + more; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("of %d mistakes: got %v, want %q at the end", n, err, want)
		}
	}
}

// What is not finished is a mistake in its place.
func TestUnfinished(t *testing.T) {
	for text, want := range map[string]string{
		"type T struct": "1:14: expected '{'", "type I interface": "1:17: expected '{'", "type G[T any] struct": "1:21: expected '{'", "type": "1:5: expected 'IDENT'",
		"x := 1\nvar": "2:4: expected 'IDENT'", "const": "1:6: expected 'IDENT'", "func": "1:5: expected '('", "import": "missing import path", "x := 1\ntype T": "2:7: ",
		"var (": "", "type (": "", "const (\n\ta =": "", "func f(": "", "for": "", "if x :=": "", "switch {": "", "select {\ncase": "", "x :=": "", "go": "", "defer": "", "a.": "", "a[": "", "f(": "",
	} {
		_, err := cell.New().Compose(packages, dialect.Parse(text).Cell(1))
		var list *cell.Error
		if !errors.As(err, &list) || !strings.HasPrefix(list.Error(), "cell[1]:") || !strings.Contains(list.Error(), want) {
			t.Errorf("%q: got %v, want a mistake %q", text, err, want)
		}
		_, _ = dialect.Status(text) // does not panic
		_, _ = cell.New().Context().Document(text, len(text), packages)
	}
}
