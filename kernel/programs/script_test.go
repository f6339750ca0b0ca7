package programs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/install"
	"github.com/gradbook/gradbook/kernel/script"
)

// TestRandomScripts makes programs of notebooks made by chance, and compares what they
// print with what another program does. A program ends where a cell panics first, and is
// refused where a cell gives values other methods.
func TestRandomScripts(t *testing.T) {
	const seeds = 12
	dir := t.TempDir()
	n := newNotebook(t, dir)
	l, err := install.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for i := range uint64(seeds) {
		seed := *seed + 100 + i
		g := newGrammar(seed)
		for len(g.cells) < 40 {
			g.cell()
		}
		other, err := asProgram(t.Context(), dir, program{name: "random.go", tree: dir, source: []byte(g.program())})
		if err != nil || other.status != "0" {
			t.Fatalf("seed %d: the other program does not run: %v %.2000s", seed, err, other.status)
		}
		want := strings.Split(other.out, cellEnd+"\n")
		cells := 0
		for cells < len(g.cells) && !strings.Contains(want[cells], "panic:") {
			cells++
		}
		var source []byte
		for ; cells > 0; cells-- {
			if source, _, err = script.Program(asNotebook(t, g.cells[:cells]), "random.ipynb", n.Builder().Packages(t.Context())); err == nil {
				break
			} else if !strings.Contains(err.Error(), "has other methods than before") {
				t.Fatalf("seed %d, %d cells: %v\n%s", seed, cells, err, g.cells[cells-1])
			}
		}
		if total += cells; cells == 0 {
			continue
		}
		got, err := asProgramOf(t.Context(), l.Workspace(), dir, program{name: "script.go", tree: dir, source: source})
		if all := strings.Join(want[:cells], ""); err != nil || got.out != all || got.status != "0" {
			kept := filepath.Join(os.TempDir(), "random-script.go")
			_ = os.WriteFile(kept, source, 0o600)
			t.Fatalf("seed %d: the program of %d cells, in %s, ends with %s, %v\nit prints\n%s\nexpected\n%s", seed, cells, kept, got.status, err, got.out, all)
		}
	}
	if t.Logf("%d cells", total); total < 10*seeds {
		t.Errorf("expected programs of some length, got %d cells in %d", total, seeds)
	}
}

func asNotebook(t *testing.T, cells []string) []byte {
	t.Helper()
	var all []any
	for _, c := range cells {
		all = append(all, map[string]any{"cell_type": "code", "metadata": map[string]any{}, "source": c, "outputs": []any{}})
	}
	raw, err := json.Marshal(map[string]any{"cells": all, "metadata": map[string]any{}, "nbformat": 4, "nbformat_minor": 5})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
