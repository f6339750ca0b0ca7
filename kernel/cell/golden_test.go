package cell

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
)

var update = flag.Bool("update", false, "write the golden files")

// std are packages that cells of tests import.
type std struct{ types.Importer }

func newStd() std { return std{importer.ForCompiler(token.NewFileSet(), "gc", nil)} }

func (std) Names() map[string]string {
	names := map[string]string{"math/rand/v2": "rand"}
	for _, path := range strings.Fields("bytes context errors flag fmt io log math math/rand os os/exec reflect runtime sort strconv strings sync time unsafe") {
		names[path] = path[strings.LastIndex(path, "/")+1:]
	}
	return names
}

// cells reads a file of cells, which a line of three dashes separates.
func cells(t *testing.T, path string) []string {
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
			n := New()
			var b strings.Builder
			for i, text := range cells(t, file) {
				fmt.Fprintf(&b, "═══ %d\n%s\n───\n", i+1, text)
				b.WriteString(composed(n, Cell{Number: i + 1, Text: text}))
			}
			golden := strings.TrimSuffix(file, ".cells") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
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
func composed(n *Notebook, c Cell) string {
	if before, _, ok := strings.Cut(c.Text, "%%\n"); ok {
		c.HasMain, c.Main = true, len(before)+len("%%\n")
		c.Text = strings.Replace(c.Text, "%%\n", "  \n", 1)
	}
	out, err := n.Compose(newStd(), c)
	var list *Error
	if errors.As(err, &list) {
		return list.Error() + "\n"
	} else if err != nil {
		return err.Error() + "\n"
	}
	out.Commit()
	if !out.Build {
		return fmt.Sprintf("library %d again\n", out.N)
	}
	return strings.Join(append(out.Notes, ""), "\n") + string(out.Source)
}
