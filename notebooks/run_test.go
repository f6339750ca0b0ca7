package notebooks_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gradbook/gradbook/kernel/install/installtest"
	"github.com/gradbook/gradbook/kernel/notebook"
)

// execute runs a notebook, and returns it with its outputs.
func execute(t *testing.T, path string) (*book, error) {
	t.Helper()
	l := installtest.Layout(t)
	var log bytes.Buffer
	r, err := notebook.Run(t.Context(), path, notebook.Options{Python: l.Python(), Env: l.JupyterEnv(), OutDir: t.TempDir(), Log: &log})
	var failed *notebook.FailedError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("%v\n%s", err, log.String())
	}
	return read(t, r.Notebook), err
}

// TestRun executes every notebook twice (with -short, only the document's, once), the second time followed by the solutions of
// its exercises: the claims hold, and what the cells show is the same, but for those
// that measure time or the machine.
func TestRun(t *testing.T) {
	for _, name := range names(t) {
		if testing.Short() && filepath.Base(name) != "03-cnn.ipynb" {
			continue // executing all takes minutes; make check
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			first, err := execute(t, name)
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(began)
			if testing.Short() {
				return
			}
			second, err := execute(t, withSolutions(t, name))
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range first.Cells {
				if c.tagged("machine") {
					continue
				}
				a, b := shown(t, c), shown(t, second.Cells[i])
				if a != b {
					t.Errorf("cell %s: expected the same output twice, got\n%.2000s\nand\n%.2000s", c.ID, a, b)
				}
			}
			t.Logf("took %.0f s", took.Seconds())
		})
	}
}

// shown is what a cell shows, as text.
func shown(t *testing.T, c *cell) string {
	t.Helper()
	var all []any
	for _, o := range c.Outputs {
		all = append(all, o["name"], o["text"], o["data"])
	}
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// withSolutions is a notebook with the solutions of its exercises as cells at the end.
func withSolutions(t *testing.T, name string) string {
	t.Helper()
	b := read(t, name)
	for _, c := range b.Cells {
		if c.tagged("exercise") {
			b.Cells = append(b.Cells, &cell{CellType: "code", ID: c.ID + "-solution", Metadata: map[string]any{}, Source: notebook.Text(c.code())})
		}
	}
	path := filepath.Join(t.TempDir(), name)
	b.write(t, path)
	return path
}

// TestClaims: a claim that is made false ends the run, in its cell.
func TestClaims(t *testing.T) {
	if testing.Short() {
		t.Skip("executes much of every notebook; make check")
	}
	for _, c := range []struct{ name, old, false, claim string }{
		{"00-start.ipynb", "Epochs: 200", "Epochs: 1", "xor-test"},
		{"01-feedforward.ipynb", "sum := bias", "sum := 0.0", "equal-test"},
		{"02-backprop.ipynb", "return a * (1 - a)", "return a", "check-test"},
		{"03-cnn.ipynb", "a[i-k][j-l]", "a[i-k][j]", "correlate-test"},
		{"04-rnn.ipynb", "out[j] += v[i] * W[i][j]", "out[j] += v[i] * W[i][0]", "layer-test"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			b := read(t, c.name)
			changed, code, at := false, 0, 0
			for i, cell := range b.Cells {
				if cell.CellType == "code" {
					code++
				}
				if strings.Contains(string(cell.Source), c.old) && !changed {
					cell.Source, changed = notebook.Text(strings.Replace(string(cell.Source), c.old, c.false, 1)), true
				}
				if cell.ID == c.claim {
					b.Cells, at = b.Cells[:i+1], code
					break
				}
			}
			if !changed || at == 0 {
				t.Fatalf("expected %q before the cell %s of %s", c.old, c.claim, c.name)
			}
			path := filepath.Join(t.TempDir(), c.name)
			b.write(t, path)
			_, err := execute(t, path)
			var failed *notebook.FailedError
			if !errors.As(err, &failed) || failed.Cell != at || !strings.Contains(failed.Message, "the text claims") {
				t.Errorf("expected code cell %d, %s, to fail, got %v", at, c.claim, err)
			}
		})
	}
}
