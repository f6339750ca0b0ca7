// Package surface is what dl, viz and datasets show to programs, as text: so that a change of it
// is seen, and decided.
package surface

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Module is the path of this module.
const Module = "github.com/gradbook/gradbook"

// patterns are the packages whose surface is meant.
var patterns = []string{"./dl/...", "./viz", "./datasets"}

// Packages are packages with what the compiler knows of them.
type Packages struct {
	// Shown are the paths of those that programs may import; Dirs are the folders.
	Shown []string
	Dirs  map[string]string

	importer types.Importer
}

// Load compiles the packages of the module at root, and what they and their tests import.
func Load(root string) (*Packages, error) {
	list := exec.Command("go", append([]string{"list", "-export", "-deps", "-test", "-json=ImportPath,Export,Dir,Name"}, patterns...)...)
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		if exit := new(exec.ExitError); errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return nil, err
	}
	p := &Packages{Dirs: make(map[string]string)}
	exports := make(map[string]string)
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var one struct{ ImportPath, Export, Dir, Name string }
		if err := d.Decode(&one); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if strings.Contains(one.ImportPath, " ") || strings.HasSuffix(one.ImportPath, ".test") { // compiled for a test
			continue
		}
		exports[one.ImportPath] = one.Export
		if shown(one.ImportPath) && one.Name != "main" {
			p.Shown, p.Dirs[one.ImportPath] = append(p.Shown, one.ImportPath), one.Dir
		}
	}
	slices.Sort(p.Shown)
	p.importer = importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	return p, nil
}

// others are packages for the setup and the command line, which programs have no use for.
var others = []string{"dl/cache", "dl/memory", "dl/pjrt", "dl/pjrt/pjrttest"}

func shown(path string) bool {
	rest, ok := strings.CutPrefix(path, Module+"/")
	if !ok || strings.Contains(path, "/internal/") || slices.Contains(others, rest) {
		return false
	}
	return rest == "viz" || rest == "datasets" || rest == "dl" || strings.HasPrefix(rest, "dl/")
}

// Import returns a package.
func (p *Packages) Import(path string) (*types.Package, error) { return p.importer.Import(path) }

// Lines are the exported names of a package with their types, one a line, in order.
func Lines(pkg *types.Package) (all []string) {
	short := strings.TrimPrefix(pkg.Path(), Module+"/")
	qualify := func(other *types.Package) string {
		if other == pkg {
			return ""
		}
		return other.Path()
	}
	add := func(format string, args ...any) {
		all = append(all, "pkg "+short+", "+fmt.Sprintf(format, args...))
	}
	for _, name := range pkg.Scope().Names() {
		o := pkg.Scope().Lookup(name)
		if !o.Exported() {
			continue
		}
		t, ok := o.(*types.TypeName)
		if s, isStruct := o.Type().Underlying().(*types.Struct); ok && isStruct && !t.IsAlias() {
			add("type %s struct", name)
			for f := range s.Fields() {
				if f.Exported() {
					add("type %s struct, %s %s", name, f.Name(), types.TypeString(f.Type(), qualify))
				}
			}
		} else {
			add("%s", strings.ReplaceAll(types.ObjectString(o, qualify), "\n", " "))
		}
		if !ok || t.IsAlias() {
			continue
		}
		for m := range methods(o.Type()) {
			add("method (%s) %s%s", receiver(m, name), m.Name(), strings.TrimPrefix(types.TypeString(m.Type(), qualify), "func"))
		}
	}
	slices.SortFunc(all, cmp.Compare)
	return slices.Compact(all)
}

func receiver(m *types.Func, name string) string {
	if _, ok := m.Signature().Recv().Type().(*types.Pointer); ok {
		return "*" + name
	}
	return name
}

// methods are the exported methods that a type declares.
func methods(t types.Type) func(yield func(*types.Func) bool) {
	return func(yield func(*types.Func) bool) {
		named, ok := t.(*types.Named)
		if !ok {
			return
		}
		for m := range named.Methods() {
			if m.Exported() && !yield(m) {
				return
			}
		}
	}
}
