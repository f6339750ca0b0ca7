package surface

import (
	"flag"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/api.txt (make api)")

const root = "../../.."

var recorded = filepath.Join(root, "docs", "api.txt")

func load(t *testing.T) *Packages {
	t.Helper()
	p, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func lines(t *testing.T, p *Packages) (all []string) {
	t.Helper()
	for _, path := range p.Shown {
		pkg, err := p.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, Lines(pkg)...)
	}
	return all
}

// TestRecorded: what programs can use is what docs/api.txt says. A line less, or another, is a
// change for who uses it: decide, tell it in the changelog, and record it by make api.
func TestRecorded(t *testing.T) {
	now := lines(t, load(t))
	if *update {
		if err := os.WriteFile(recorded, []byte(strings.Join(now, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	before := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, l := range before {
		if !slices.Contains(now, l) {
			t.Errorf("gone or changed: %s", l)
		}
	}
	for _, l := range now {
		if !slices.Contains(before, l) {
			t.Errorf("new: %s", l)
		}
	}
	if t.Failed() {
		t.Log("if this is meant, record it: make api")
	}
}

// TestOwnNames: what is taken from GoMLX stands in package tensor alone, and nothing that is
// internal is shown.
func TestOwnNames(t *testing.T) {
	for _, l := range lines(t, load(t)) {
		if strings.HasPrefix(l, "pkg dl/tensor, ") {
			continue
		}
		// Aliases of tensor's are written out by their own names.
		for _, known := range []string{"core/tensors.Tensor", "core/graph.Node", "compute/dtypes.DType", "compute/shapes.Shape"} {
			l = strings.ReplaceAll(l, "github.com/gomlx/gomlx/"+known, "")
			l = strings.ReplaceAll(l, "github.com/gomlx/"+known, "")
		}
		if strings.Contains(l, "gomlx") || strings.Contains(l, "/internal/") {
			t.Error(l)
		}
		if strings.HasSuffix(l, " err error)") && strings.Contains(l, "(_ ") {
			t.Errorf("a result without a name beside one with: %s", l)
		}
	}
}

// TestExamples: every exported function and type is in an example that runs.
func TestExamples(t *testing.T) {
	p := load(t)
	used := make(map[string]bool) // "path.Name"
	for _, path := range p.Shown {
		p.use(t, path, used)
	}
	missing, of := 0, 0
	for _, path := range p.Shown {
		pkg, err := p.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range pkg.Scope().Names() {
			o := pkg.Scope().Lookup(name)
			switch o.(type) {
			case *types.Func, *types.TypeName:
			default:
				continue
			}
			if !o.Exported() {
				continue
			}
			of++
			if !used[path+"."+name] {
				missing++
				t.Errorf("%s.%s is in no example that runs", strings.TrimPrefix(path, Module+"/"), name)
			}
		}
	}
	t.Logf("%d of %d", of-missing, of)
}

// use notes what the examples of a package use: by name, or as the type of what they compute.
func (p *Packages) use(t *testing.T, path string, used map[string]bool) {
	t.Helper()
	set := token.NewFileSet()
	var files []*ast.File
	names, err := filepath.Glob(filepath.Join(p.Dirs[path], "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.Name.Name, "_test") {
			files = append(files, f)
		}
	}
	runs := make(map[string]bool)
	for _, e := range doc.Examples(files...) {
		runs["Example"+e.Name] = e.Output != "" || e.EmptyOutput
	}
	info := &types.Info{Types: make(map[ast.Expr]types.TypeAndValue), Uses: make(map[*ast.Ident]types.Object)}
	config := types.Config{Importer: p.importer, Error: func(error) {}}
	_, _ = config.Check(path+"_test", set, files, info)
	note := func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if o := info.Uses[id]; o != nil && o.Pkg() != nil {
				used[o.Pkg().Path()+"."+o.Name()] = true
			}
		}
		if e, ok := n.(ast.Expr); ok {
			noteType(info.Types[e].Type, used, 0)
		}
		return true
	}
	for _, f := range files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				ast.Inspect(d, note) // types and helpers of examples
				continue
			}
			if !strings.HasPrefix(fn.Name.Name, "Test") && !strings.HasPrefix(fn.Name.Name, "Benchmark") &&
				(!strings.HasPrefix(fn.Name.Name, "Example") || runs[fn.Name.Name]) {
				ast.Inspect(fn, note)
			}
		}
	}
}

// noteType notes a named type, and those that it is made of.
func noteType(t types.Type, used map[string]bool, depth int) {
	if depth > 4 {
		return
	}
	switch t := t.(type) {
	case *types.Alias:
		if o := t.Obj(); o.Pkg() != nil {
			used[o.Pkg().Path()+"."+o.Name()] = true
		}
		noteType(t.Rhs(), used, depth+1)
	case *types.Named:
		if o := t.Obj(); o.Pkg() != nil {
			used[o.Pkg().Path()+"."+o.Name()] = true
		}
	case *types.Pointer:
		noteType(t.Elem(), used, depth+1)
	case *types.Slice:
		noteType(t.Elem(), used, depth+1)
	case *types.Array:
		noteType(t.Elem(), used, depth+1)
	case *types.Map:
		noteType(t.Key(), used, depth+1)
		noteType(t.Elem(), used, depth+1)
	case *types.Signature:
		for v := range t.Params().Variables() {
			noteType(v.Type(), used, depth+1)
		}
		for v := range t.Results().Variables() {
			noteType(v.Type(), used, depth+1)
		}
	case *types.Tuple:
		for v := range t.Variables() {
			noteType(v.Type(), used, depth+1)
		}
	}
}
