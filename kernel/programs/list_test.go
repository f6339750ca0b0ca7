package programs

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// program is one of Go's own test programs.
type program struct {
	name   string // relative to its tree
	tree   string
	source []byte
	fset   *token.FileSet
	file   *ast.File
}

// programs lists those of the tree's files that say "// run" and nothing more, and need
// no other file: what a person could paste into a notebook.
func programs(t testing.TB, tree string) []program {
	t.Helper()
	var list []program
	err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !runs(string(source)) {
			return nil
		}
		p := program{tree: tree, source: source, fset: token.NewFileSet()}
		if p.name, err = filepath.Rel(tree, path); err != nil {
			return err
		}
		p.file, err = parser.ParseFile(p.fset, filepath.Base(path), source, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil || p.file.Name.Name != "main" || !selfContained(p.file) {
			return nil //nolint:nilerr // a test of the parser's
		}
		list = append(list, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// runs says whether the head of a test asks for a plain run on this system.
func runs(source string) bool {
	run := false
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "//") {
			break
		}
		if line == "// run" {
			run = true
		}
		if constraint.IsGoBuild(line) || constraint.IsPlusBuild(line) {
			if e, err := constraint.Parse(line); err == nil && !e.Eval(holds) {
				return false
			}
		}
	}
	return run
}

// holds says whether a build tag holds here.
func holds(tag string) bool {
	return slices.Contains([]string{runtime.GOOS, runtime.GOARCH, "unix", "gc", "cgo"}, tag) || strings.HasPrefix(tag, "go1.")
}

// selfContained says whether a file imports nothing but the standard library.
func selfContained(f *ast.File) bool {
	for _, s := range f.Imports {
		path := strings.Trim(s.Path.Value, "\"`")
		if path == "C" || strings.HasPrefix(path, ".") || strings.Contains(path, "internal/") || strings.HasPrefix(path, "cmd/") {
			return false
		}
	}
	return true
}
