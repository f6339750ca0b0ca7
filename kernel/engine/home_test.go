package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gradbook/gradbook/kernel/toolchain"
)

// home is a module of a person's in which a notebook lies.
type home struct {
	t   *testing.T
	dir string
	now time.Time
}

func newHome(t *testing.T, files map[string]string) *home {
	h := &home{t, t.TempDir(), time.Now()}
	for name, content := range files {
		h.write(name, content)
	}
	return h
}

// write writes a file, as if a second earlier than the one before: an old one may be put
// back.
func (h *home) write(name, content string) {
	h.t.Helper()
	name = filepath.Join(h.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.now = h.now.Add(-time.Second)
	if err := os.Chtimes(name, h.now, h.now); err != nil {
		h.t.Fatal(err)
	}
}

// book is a notebook in a folder of the module.
func (h *home) book(folder string) *book {
	h.t.Helper()
	b := newBook(h.t)
	found, err := toolchain.FindHome("go", filepath.Join(h.dir, filepath.FromSlash(folder)), "github.com/gradbook/gradbook")
	if err != nil || found == nil {
		h.t.Fatal(found, err)
	}
	if found, err = found.With(b.Builder().Workspace(), filepath.Join(h.t.TempDir(), "go.work")); err != nil {
		h.t.Fatal(err)
	}
	b.Builder().Set(func(s *toolchain.Settings) { s.Home = found })
	return b
}

var geo = map[string]string{
	"go.mod": "module example.com/mymod\n\ngo 1.26\n",
	"geo/geo.go": `package geo

import "fmt"

type Point struct{ X, Y int }

func (p Point) String() string { return fmt.Sprintf("(%d, %d)", p.X, p.Y) }

func Origin() Point { return Point{} }
`,
	"shape/shape.go": `package shape

import "example.com/mymod/geo"

type Square struct { At geo.Point; Side int }

func (s Square) Area() int { return s.Side * s.Side }
`,
	"notebooks/here.txt": "",
}

// TestHome: a notebook in a module imports its packages, as they are at each cell.
func TestHome(t *testing.T) {
	h := newHome(t, geo)
	b := h.book("notebooks")
	b.ok("import (\n\"example.com/mymod/geo\"\n\"example.com/mymod/shape\"\n)\np := geo.Origin()\np", "=> (0, 0)")
	b.ok("func show(p geo.Point) string { return \"at \" + p.String() }\ntype Named struct { Name string; At geo.Point }", "")
	b.ok("n := 7\nq := geo.Point{X: 1}\nvar s any = shape.Square{At: q, Side: 3}\nvar named Named = Named{\"a\", q}\nfmt.Println(show(q), s.(shape.Square).Area(), named.At)", "at (1, 0) 9 (1, 0)\n")

	// A function's body: what uses it is compiled anew, and its types are others.
	h.write("geo/geo.go", strings.Replace(geo["geo/geo.go"], `"(%d, %d)"`, `"<%d, %d>"`, 1))
	b.ok("fmt.Println(show(geo.Point{X: 2}), n)", `example.com/mymod/geo, example.com/mymod/shape: compiled as edited
named is gone, since type Named has changed
p is gone, since type geo.Point has changed
q is gone, since type geo.Point has changed
`+"at <2, 0> 7\n")
	b.fails("named", "CompileError", "undefined: named")
	b.ok("_, same := s.(shape.Square)\nfmt.Println(s, same)", "{(1, 0) 3} false\n") // what an interface holds is what it was

	// Another layout, and a package that is imported for the first time.
	h.write("geo/geo.go", "package geo\n\nimport (\n\t\"archive/tar\"\n\t\"example.com/mymod/deep\"\n)\n\ntype Point struct { Name string; X, Y int; Far *tar.Header }\n\nfunc Origin() Point { return Point{Name: deep.Name} }\n")
	h.write("deep/deep.go", "package deep\n\nconst Name = `deep`\n")
	b.ok("var at geo.Point = geo.Origin()\nfmt.Println(at.Name, at.X, shape.Square{At: at, Side: 4}.Area())", "example.com/mymod/geo, example.com/mymod/shape: compiled as edited\ndeep 0 16\n")
	b.fails("show(at)", "CompileError", "p.String undefined")

	// What does not compile is not used, and nothing is lost.
	h.write("deep/deep.go", "package deep\n\nconst Name = 3\n")
	b.fails("at.Name", "BuildError", "geo/geo.go:10")
	b.fails("at.Name", "BuildError", "cannot use deep.Name")
	h.write("deep/deep.go", "package deep\n\nconst Name = `deeper`\n")
	b.ok("fmt.Println(geo.Origin().Name)", `example.com/mymod/deep, example.com/mymod/geo, example.com/mymod/shape: compiled as edited
at is gone, since type geo.Point has changed
`+"deeper\n")
	if err := b.Restart(); err != nil {
		t.Fatal(err)
	}
	b.ok("import \"example.com/mymod/geo\"\ngeo.Origin().Name", "=> deeper")
}

// TestHomeStale: a package with C in it stays what it was until the session is another.
func TestHomeStale(t *testing.T) {
	h := newHome(t, map[string]string{
		"go.mod": "module example.com/mymod\n\ngo 1.26\n",
		"c/c.go": "package c\n\n// static int one(void) { return 1; }\nimport \"C\"\n\nfunc One() int { return int(C.one()) }\n",
		"d/d.go": "package d\n\nimport \"example.com/mymod/c\"\n\nfunc Two() int { return 2 * c.One() }\n",
	})
	b := h.book(".")
	b.ok("import (\n\"example.com/mymod/c\"\n\"example.com/mymod/d\"\n)\nfmt.Println(c.One(), d.Two())", "1 2\n")
	h.write("c/c.go", "package c\n\n// static int one(void) { return 5; }\nimport \"C\"\n\nfunc One() int { return int(C.one()) }\n")
	got, f := b.run("fmt.Println(c.One(), d.Two())")
	if f != nil || !strings.HasSuffix(got, "\n1 2\n") || !strings.Contains(got, "example.com/mymod/c has been edited since it was imported") {
		t.Errorf("got %q, %v", got, f)
	}
	b.ok("d.Two()", "=> 2")
}

// TestHomeWorkspace: go.work and replace are heeded, also where a module is not the
// notebook's own.
func TestHomeWorkspace(t *testing.T) {
	h := newHome(t, map[string]string{
		"go.work":          "go 1.26\n\nuse (\n\t./a\n\t./b\n)\n\nreplace example.com/other => ./elsewhere\n",
		"a/go.mod":         "module example.com/a\n\ngo 1.26\n\nrequire (\n\texample.com/other v1.2.3\n\texample.com/local v0.0.0\n)\n\nreplace example.com/local => ../local\n",
		"a/a.go":           "package a\n\nimport (\n\t\"example.com/b\"\n\t\"example.com/local\"\n\t\"example.com/other\"\n)\n\nfunc All() string { return b.Name + other.Name + local.Name }\n",
		"b/go.mod":         "module example.com/b\n\ngo 1.26\n",
		"b/b.go":           "package b\n\nconst Name = `b`\n",
		"elsewhere/go.mod": "module example.com/other\n\ngo 1.26\n",
		"elsewhere/o.go":   "package other\n\nconst Name = `o`\n",
		"local/go.mod":     "module example.com/local\n\ngo 1.26\n",
		"local/l.go":       "package local\n\nconst Name = `l`\n",
		"b/notes/x.txt":    "",
	})
	b := h.book("b/notes")
	b.ok("import \"example.com/a\"\na.All()", "=> bol")
	h.write("elsewhere/o.go", "package other\n\nconst Name = `O`\n")
	b.ok("a.All()", "example.com/a, example.com/other: compiled as edited\n=> bOl")
	b.fails("import \"example.com/nosuch\"\nnosuch.F()", "CompileError", "example.com/nosuch")
	if _, err := os.Stat(filepath.Join(h.dir, "go.work.sum")); err == nil {
		t.Error("something was written into the person's own folder")
	}
}

// TestHomeVersion: a package of another version than the session's is refused, and the
// message says how to get it.
func TestHomeVersion(t *testing.T) {
	h := newHome(t, map[string]string{
		"go.mod":          "module example.com/mymod\n\ngo 1.26\n\nrequire gonum.org/v1/gonum v0.99.0\n\nreplace gonum.org/v1/gonum => ./gonum\n",
		"gonum/go.mod":    "module gonum.org/v1/gonum\n\ngo 1.26\n",
		"gonum/stat/s.go": "package stat\n\nfunc Mean() string { return `mine` }\n",
		"m/m.go":          "package m\n\nimport \"gonum.org/v1/gonum/stat\"\n\nfunc M() string { return stat.Mean() }\n",
	})
	b := h.book(".")
	b.fails("import \"example.com/mymod/m\"\nm.M()", "CompileError", "restart the kernel")
}
