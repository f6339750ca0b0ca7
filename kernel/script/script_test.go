package script

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/install"
	"github.com/gradbook/gradbook/kernel/install/installtest"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

func packages(t *testing.T) (cell.Packages, install.Layout) {
	t.Helper()
	l := installtest.Layout(t)
	ways, err := toolchain.Ways()
	if err != nil {
		t.Fatal(err)
	}
	b, err := toolchain.NewBuilder(l.Workspace(), t.TempDir(), ways...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b.Packages(t.Context()), l
}

// notebookOf is a notebook's file with cells of Go; one that begins with # is text.
func notebookOf(t *testing.T, cells ...string) []byte {
	t.Helper()
	nb := notebook{Cells: []nbCell{}, Meta: map[string]any{}, Major: 4, Minor: 5}
	for _, c := range cells {
		one := nbCell{Type: "code", Meta: map[string]any{}, Outputs: &[]any{}, Source: lines(c)}
		if strings.HasPrefix(c, "#") {
			one.Type, one.Outputs = "markdown", nil
		}
		nb.Cells = append(nb.Cells, one)
	}
	raw, err := json.Marshal(nb)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// run runs a program, as one of the workspace's module.
func run(t *testing.T, l install.Layout, source []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, source, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", file)
	cmd.Dir, cmd.Env = l.Workspace(), toolchain.Environ()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, source)
	}
	return string(out)
}

var story = []string{
	"# A story\n\nwith `code`", "x := 1\nfmt.Println(x)\ntype T struct{ A int }\nt := T{3}", "// Double is a method.\nfunc (t T) Double() int { return 2 * t.A }",
	"t.Double()", "// a comment\nx := \"text now\"\nn, err := strconv.Atoi(\"12\")\nn",
	"y, err := strconv.Atoi(\"13\")\nfor i := range 3 {\n\tif i == 2 {\n\t\tbreak\n\t}\n\tfmt.Println(i, y)\n}\nt",
	"%who\n!echo from the shell\ndefer fmt.Println(\"deferred\")\nfmt.Println(x)",
	"var total float64\nfunc add(v float64) { total += v }\nadd(2)\nadd(3)\ntotal", "func add(v float64) { total += 2 * v }", "add(1)\ntotal",
	"data := []int{3, 4}\nstrings.Repeat(\"ab\", 2)", "s := `raw\n\ttext`\ns", "import \"math/rand/v2\"\nrand.New(rand.NewPCG(1, 2)).IntN(100)",
	"%env GRADBOOK_X=3\nos.Getenv(\"GRADBOOK_X\")", "len := 3\nlen", "%%\nlocal := 4\nfmt.Println(local)", "func main() { fmt.Println(\"main\") }",
}

const told = `1
6
12
0 13
1 13
{A:3}
from the shell
text now
deferred
5
7
abab
raw
	text
76
3
3
4
main
`

// A notebook's program prints what the notebook does; so do the notebook of it, and the
// program of that.
func TestThereAndBack(t *testing.T) {
	p, l := packages(t)
	source, warnings, err := Program(notebookOf(t, story...), "story.ipynb", p)
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "cell 6: %who") {
		t.Errorf("got %q", warnings)
	}
	for _, want := range []string{"// %% [markdown]\n\t// # A story\n", "// Double is a method.\nfunc (t T) Double()", "\tx := 1\n", "\tx2 := \"text now\"\n", "// [notebook only] %who"} {
		if !strings.Contains(string(source), want) {
			t.Errorf("expected %q in\n%s", want, source)
		}
	}
	if got := run(t, l, source); got != told {
		t.Errorf("the program prints\n%s", got)
	}
	back, err := Notebook(source)
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := Program(back, "story.ipynb", p)
	if err != nil {
		t.Fatalf("%v\n%s", err, back)
	}
	if got := run(t, l, again); got != told {
		t.Errorf("the notebook of the program prints\n%s\n%s", got, again)
	}
	nb, err := read(back)
	if err != nil {
		t.Fatal(err)
	}
	if first := nb.Cells[1]; first.Type != "markdown" || string(first.Source) != "# A story\n\nwith `code`" {
		t.Errorf("got %+v", first)
	}
}

// Every notebook of the book is a program that compiles.
func TestBookCompiles(t *testing.T) {
	if testing.Short() {
		t.Skip("all notebooks take a minute; make check")
	}
	p, l := packages(t)
	files, err := filepath.Glob("../../notebooks/[01]*.ipynb")
	if err != nil || len(files) < 11 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source, _, err := Program(raw, filepath.Base(file), p)
		if err != nil {
			t.Error(err)
			continue
		}
		main := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(main, source, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "go", "vet", main)
		cmd.Dir, cmd.Env = l.Workspace(), toolchain.Environ()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}

// Programs and scripts that others wrote become cells at their marks.
func TestNotebookOf(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		want   []string
	}{
		"a plain program": {"// Hello says it.\npackage main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(`a\n\tb`)\n\tx := 3\n\t_ = x\n}\n", []string{"markdown Hello says it.", "code import \"fmt\"", "code fmt.Println(`a\n\tb`)\nx := 3\n_ = x"}},
		"in one line":     {"package main\n\nfunc main() { println(1) }\n", []string{"code println(1)"}},
		"with marks":      {"package main\n\n// %% helpers\nfunc f() int { return 2 }\n\nfunc main() {\n\t// %% [markdown]\n\t// # Title\n\t//\n\t// text\n\n\t// %%\n\tprintln(f())\n\t// %% last\n\tprintln(3)\n}\n", []string{"code func f() int { return 2 }", "markdown # Title\n\ntext", "code println(f())", "code println(3)"}},
		"of Jupytext":     {"// ---\n// jupyter:\n//   kernelspec:\n// ---\n\n// %% [markdown]\n// # Title\n\n// %%\nx := 1\nx\n\n// %%\nfunc g() {}\n", []string{"markdown # Title", "code x := 1\nx", "code func g() {}"}},
		"from Windows":    {"package main\r\n\r\nfunc main() {\r\n\tprintln(1)\r\n}\r\n", []string{"code println(1)"}},
	} {
		raw, err := Notebook([]byte(c.source))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		nb, err := read(raw)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, one := range nb.Cells {
			got = append(got, one.Type+" "+string(one.Source))
		}
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestMistakes(t *testing.T) {
	p, _ := packages(t)
	for want, raw := range map[string][]byte{
		"expected a notebook, in JSON": []byte("package main"), "of version 4, got 3": []byte(`{"nbformat":3,"worksheets":[]}`), "with cells": []byte(`{"nbformat":4}`),
		"bad.ipynb, cell 2 (the notebook's 3.): cell[2]:1:6: undefined: z": notebookOf(t, "# a", "x := 1", "y := z"),
		"has other methods than before":                                    notebookOf(t, "type T struct{}\nfunc (T) M() int { return 1 }\nvar t T", "func (T) M() int { return 2 }", "t.M()"),
	} {
		if _, _, err := Program(raw, "bad.ipynb", p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for want, source := range map[string]string{"no main function and no marks": "package p\n", "is no program": "x := 1\n"} {
		if _, err := Notebook([]byte(source)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
