package cell_test

import (
	"errors"
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/dialect"
)

var update = flag.Bool("update", false, "write the golden files")

// std are packages that cells of tests import.
type std struct{ types.Importer }

// packages are one for all tests: a package is the same wherever it is imported.
var packages = std{importer.ForCompiler(token.NewFileSet(), "gc", nil)}

func (s std) Import(path string) (*types.Package, error) {
	if strings.Contains(path, "such") {
		return nil, fmt.Errorf("there is no package %s", path)
	}
	return s.Importer.Import(path)
}

func (std) Names() map[string]string {
	names := map[string]string{"math/rand/v2": "rand"}
	for _, path := range strings.Fields("bytes context errors embed flag fmt io iter log maps math math/rand os os/exec reflect runtime slices sort strconv strings sync text/template html/template time unsafe") {
		names[path] = path[strings.LastIndex(path, "/")+1:]
	}
	return names
}

// read reads a file of cells, which a line of three dashes separates.
func read(t *testing.T, path string) []string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(content), "\n"), "\n---\n")
}

// TestGolden shows what becomes of cells: testdata/NAME.cells as NAME.golden.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.cells")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			n := cell.New()
			var b strings.Builder
			for i, text := range read(t, file) {
				fmt.Fprintf(&b, "═══ %d\n%s\n───\n", i+1, text)
				b.WriteString(composed(n, dialect.Parse(text).Cell(i+1)))
			}
			golden := strings.TrimSuffix(file, ".cells") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if b.String() != string(want) {
				t.Errorf("%s differs; if it is right as it is now: go test ./kernel/cell -update\n%s", golden, b.String())
			}
		})
	}
}

// composed is what a cell becomes, or why it does not.
func composed(n *cell.Notebook, c cell.Cell) string {
	out, err := n.Compose(packages, c)
	var list *cell.Error
	if errors.As(err, &list) {
		return list.Error() + "\n"
	} else if err != nil {
		return err.Error() + "\n"
	}
	out.Commit()
	if !out.Build {
		return fmt.Sprintf("library %d again\n", out.N)
	}
	var b strings.Builder
	for _, note := range out.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	for _, pattern := range out.Embeds {
		fmt.Fprintf(&b, "embeds: %s\n", pattern)
	}
	return b.String() + string(out.Source)
}
