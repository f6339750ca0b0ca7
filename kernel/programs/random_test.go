package programs

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/dialect"
	"github.com/gradbook/gradbook/kernel/engine"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

var random = flag.Int("random", 200, "how many cells to make by chance")

// chanced collects what a notebook prints, and the values that it shows.
type chanced struct {
	strings.Builder
	errs strings.Builder
}

func (c *chanced) Stream(name, text string) {
	if name == "stdout" {
		c.WriteString(text)
	} else {
		c.errs.WriteString(text)
	}
}

func (c *chanced) Event(e wire.Event) {
	if e.Event == "result" {
		fmt.Fprintln(c, e.Data["text/plain"])
	}
}

// TestRandom makes notebooks by chance, whose cells declare things, and declare them
// anew, and compares what they do with what a plain program does.
func TestRandom(t *testing.T) {
	if testing.Short() {
		t.Skip("cells by chance take a minute; make check")
	}
	const each = 200
	dir := t.TempDir()
	n := newNotebook(t, dir)
	for i := range (*random + each - 1) / each {
		seed := *seed + uint64(i)
		g := newGrammar(seed)
		for len(g.cells) < min(each, *random) {
			g.cell()
		}
		want, err := asProgram(t.Context(), dir, program{name: "random.go", tree: dir, source: []byte(g.program())})
		if err != nil || want.status != "0" {
			_ = os.WriteFile(filepath.Join(os.TempDir(), "random.go"), []byte(g.program()), 0o600)
			t.Fatalf("seed %d: the program, left in %s, does not run: %v %.2000s", seed, os.TempDir(), err, want.status)
		}
		compareCells(t, n, seed, g.cells, strings.Split(want.out, cellEnd+"\n"))
	}
}

func compareCells(t *testing.T, n *notebook, seed uint64, cells, want []string) {
	if err := n.Restart(); err != nil {
		t.Fatal(err)
	}
	for i, text := range cells {
		var got chanced
		f, err := n.Run(context.WithoutCancel(t.Context()), engine.Cell{Cell: dialect.Parse(text).Cell(i + 1), Text: text}, &got)
		if err != nil {
			t.Fatal(err)
		}
		if f != nil && f.Name == "Panic" {
			fmt.Fprintln(&got, "panic:", f.Value)
		} else if f != nil {
			fmt.Fprintf(&got, "%s: %s\n%.6000s\n", f.Name, f.Value, got.errs.String())
		}
		if got.String() != want[i] {
			notebook := filepath.Join(os.TempDir(), fmt.Sprintf("random-%d.cells", seed))
			_ = os.WriteFile(notebook, []byte(strings.Join(cells[:i+1], "\n---\n")), 0o600)
			t.Errorf("seed %d, cell %d (all are in %s):\n%s\nexpected\n%sgot\n%s", seed, i+1, notebook, text, want[i], got.String())
			return
		}
	}
}
